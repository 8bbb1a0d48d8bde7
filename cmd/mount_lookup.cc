#include "cmd/mount_lookup.h"

#include <sys/stat.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/text.h"
#include "cmd/usage.h"
#include "procfsroot/handle.h"

namespace nsctl::cmd {

namespace {

// Stored text: where the root of a process that changed it is; empty where it is its namespace's.
std::string PathOfRoot(const procfsroot::Root& root) {
  const absl::StatusOr<procfsroot::SelfFds> self_fds = procfsroot::SelfFds::Open();
  if (!self_fds.ok()) return "";
  const absl::StatusOr<std::string> path = self_fds->PathOf(root.fd());
  return path.ok() && *path != "/" ? base::EncodeText(*path) : "";
}

}  // namespace

bool LookedUpPath::is_missing() const { return base::IsGone(error); }

bool LookedUpPath::is_unanswered() const {
  return absl::IsDeadlineExceeded(error) || absl::IsUnavailable(error);
}

LookedUpPath LexicalPath(absl::string_view path) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string clean;
  for (const absl::string_view part : parts) absl::StrAppend(&clean, "/", part);
  return {base::EncodeText(clean.empty() ? "/" : clean)};
}

absl::StatusOr<std::string> DecodeArgument(absl::string_view argument) {
  std::optional<std::string> bytes = base::DecodeText(argument);
  if (bytes.has_value() && bytes->find('\0') == std::string::npos) return *std::move(bytes);
  return UsageError(
      absl::StrCat("a backslash is written \\\\, and a byte \\xHH: ", QuotedArgument(argument)));
}

LookedUpPath LookUpPath(const procfsroot::Root& root, absl::string_view path) {
  LookedUpPath result = LexicalPath(path);
  const std::string above = PathOfRoot(root);
  const auto from_namespace = [&above](absl::string_view below) {
    return below == "/" && !above.empty() ? above : absl::StrCat(above, below);
  };
  result.path = from_namespace(result.path);
  const absl::StatusOr<base::OwnedFd> handle = root.Resolve(path);
  if (!handle.ok()) {
    result.error = handle.status();
    return result;
  }
  const absl::StatusOr<std::string> display = root.DisplayPath(*handle);
  if (display.ok()) result.path = from_namespace(base::EncodeText(*display));
  // What was looked up is not asked for again: a server may be silent.
  const absl::StatusOr<struct statx> stat = procfsroot::LookedUpStat(*handle);
  if (stat.ok() && (stat->stx_mask & STATX_MNT_ID) != 0) {
    result.mount_id = static_cast<uint32_t>(stat->stx_mnt_id);
  }
  if (stat.ok() && S_ISBLK(stat->stx_mode)) {
    result.block_device = mounttree::Device{stat->stx_rdev_major, stat->stx_rdev_minor};
  }
  return result;
}

}  // namespace nsctl::cmd
