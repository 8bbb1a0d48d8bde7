#include "cmd/mount_filter.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace nsctl::cmd {
namespace {

using mounttree::Mount;

constexpr absl::string_view kPseudo[] = {
    "autofs",  "binder",  "binfmt_misc", "bpf",       "cgroup",     "cgroup2",   "configfs",
    "cpuset",  "debugfs", "devpts",      "devtmpfs",  "efivarfs",   "fusectl",   "hugetlbfs",
    "mqueue",  "nsfs",    "nullfs",      "pipefs",    "proc",       "pstore",    "ramfs",
    "resctrl", "rootfs",  "rpc_pipefs",  "secretmem", "securityfs", "selinuxfs", "smackfs",
    "sockfs",  "sysfs",   "tmpfs",       "tracefs",
};

bool IsOfType(absl::string_view fs_type, absl::string_view wanted) {
  if (fs_type == wanted) return true;
  // Before the dot stands the kernel's type, behind it what the daemon calls itself.
  return absl::StartsWith(fs_type, wanted) && fs_type[wanted.size()] == '.';
}

bool PassesTypes(absl::string_view fs_type, const std::vector<std::string>& types) {
  bool asks_for_some = false;
  bool found = false;
  for (absl::string_view type : types) {
    if (absl::ConsumePrefix(&type, "no")) {
      if (IsOfType(fs_type, type)) return false;
      continue;
    }
    asks_for_some = true;
    found = found || IsOfType(fs_type, type);
  }
  return found || !asks_for_some;
}

bool PassesSource(const Mount& mount, const MountFilter& filter) {
  if (filter.sources.empty() && filter.devices.empty()) return true;
  if (mount.has_source() && absl::c_linear_search(filter.sources, mount.source())) return true;
  return absl::c_linear_search(filter.devices,
                               mounttree::Device{mount.device_major(), mount.device_minor()});
}

bool IsAccess(absl::string_view option) { return option == "ro" || option == "rw"; }

// Words of the mount's options, then of its super block's, but for what both say of writing.
std::vector<absl::string_view> OptionsOf(const Mount& mount) {
  std::vector<absl::string_view> words;
  const auto add = [&words](absl::string_view word) {
    if (!word.empty() && !IsAccess(word)) words.push_back(word);
  };
  for (const absl::string_view word : absl::StrSplit(mount.mount_options(), ',')) add(word);
  if (!mount.super_option_list().empty()) {
    for (const std::string& word : mount.super_option_list()) add(word);
    return words;
  }
  for (const absl::string_view word : absl::StrSplit(mount.super_options(), ',')) add(word);
  return words;
}

absl::string_view AccessOf(const Mount& mount) { return mount.read_only() ? "ro" : "rw"; }

bool HasOption(const Mount& mount, absl::string_view option) {
  if (IsAccess(option)) return option == AccessOf(mount);
  return absl::c_linear_search(OptionsOf(mount), option);
}

// Flags of mounts that say what is not: nobody means mounts without the flag "suid" by "nosuid".
bool IsNegativeFlag(absl::string_view option) {
  static constexpr absl::string_view kFlags[] = {"nosuid",  "nodev",      "noexec",
                                                 "noatime", "nodiratime", "nosymfollow"};
  return absl::c_linear_search(kFlags, option);
}

bool PassesOptions(const Mount& mount, const std::vector<std::string>& options) {
  for (absl::string_view option : options) {
    const bool literal = absl::ConsumePrefix(&option, "+") || IsNegativeFlag(option);
    if (literal || !absl::ConsumePrefix(&option, "no")) {
      if (!HasOption(mount, option)) return false;
    } else if (HasOption(mount, option)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsPseudo(absl::string_view fs_type) { return absl::c_linear_search(kPseudo, fs_type); }

bool IsHidden(const Mount& mount) {
  return mount.visibility() == Mount::overmounted ||
         mount.visibility() == Mount::overmounted_above || mount.visibility() == Mount::covered;
}

std::string MergedOptions(const Mount& mount) {
  std::string text(AccessOf(mount));
  for (const absl::string_view word : OptionsOf(mount)) absl::StrAppend(&text, ",", word);
  return text;
}

bool Passes(const Mount& mount, const MountFilter& filter) {
  if (filter.shadowed && !IsHidden(mount)) return false;
  if (filter.pseudo && !IsPseudo(mount.fs_type())) return false;
  if (filter.real && IsPseudo(mount.fs_type())) return false;
  return PassesTypes(mount.fs_type(), filter.types) && PassesSource(mount, filter) &&
         PassesOptions(mount, filter.options);
}

}  // namespace nsctl::cmd
