#include "mounttree/mount_options.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace nsctl::mounttree {
namespace {

struct Word {
  absl::string_view text;
  uint64_t attribute;
};

// In the order in which the kernel writes them. Access times are a number, not bits: 0 is relatime,
// and MOUNT_ATTR_STRICTATIME is no word.
constexpr Word kWords[] = {
    {"nosuid", MOUNT_ATTR_NOSUID},           {"nodev", MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC},           {"noatime", MOUNT_ATTR_NOATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME},   {"relatime", MOUNT_ATTR_RELATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW}, {"idmapped", MOUNT_ATTR_IDMAP},
};

// linux/fs.h: the SB_* that statmount(2) tells have the values of MS_*.
constexpr struct {
  absl::string_view text;
  uint32_t flag;
} kSuperBlockWords[] = {
    {",sync", MS_SYNCHRONOUS},
    {",dirsync", MS_DIRSYNC},
    {",lazytime", MS_LAZYTIME},
};

absl::string_view TakeWord(absl::string_view* rest) {
  const absl::string_view word = rest->substr(0, rest->find(','));
  rest->remove_prefix(word.size() == rest->size() ? word.size() : word.size() + 1);
  return word;
}

}  // namespace

uint64_t ParseMountOptions(absl::string_view options) {
  uint64_t attributes = 0;
  bool has_access_times = false;
  while (!options.empty()) {
    const absl::string_view option = TakeWord(&options);
    if (option == "ro") attributes |= MOUNT_ATTR_RDONLY;
    for (const Word& word : kWords) {
      if (option != word.text) continue;
      attributes |= word.attribute;
      has_access_times |= word.text == "relatime" || word.text == "noatime";
    }
  }
  return has_access_times ? attributes : attributes | MOUNT_ATTR_STRICTATIME;
}

void AppendMountOptions(uint64_t attributes, std::string* out) {
  out->append((attributes & MOUNT_ATTR_RDONLY) != 0 ? "ro" : "rw");
  const uint64_t access_times = attributes & MOUNT_ATTR__ATIME;
  for (const Word& word : kWords) {
    const bool is_set = word.text == "relatime" ? access_times == MOUNT_ATTR_RELATIME
                                                : (attributes & word.attribute) != 0;
    if (!is_set) continue;
    out->push_back(',');
    out->append(word.text.data(), word.text.size());
  }
}

void AppendSuperBlockFlags(uint32_t flags, std::string* out) {
  out->append((flags & MS_RDONLY) != 0 ? "ro" : "rw");
  for (const auto& word : kSuperBlockWords) {
    if ((flags & word.flag) != 0) out->append(word.text.data(), word.text.size());
  }
}

bool IsSecurityOption(absl::string_view option) {
  return option == "seclabel" || absl::StartsWith(option, "context=") ||
         absl::StartsWith(option, "fscontext=") || absl::StartsWith(option, "defcontext=") ||
         absl::StartsWith(option, "rootcontext=") || absl::StartsWith(option, "smackfs");
}

}  // namespace nsctl::mounttree
