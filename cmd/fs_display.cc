#include "cmd/fs_display.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "procfsroot/handle.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::cmd {
namespace {

using procfsroot::Root;

// Whoever renames in a loop does not get at every one of so many.
constexpr int kMaxAttempts = 16;

// That `path` leads to something else, or nowhere. Not where the file system does not say.
bool IsRefuted(const Root& root, const std::string& path, base::FdRef handle) {
  const absl::StatusOr<base::OwnedFd> found = root.Resolve(path, {.follow_last = false});
  if (!found.ok()) {
    const int error = base::ErrnoOf(found.status());
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
  }
  const bool both_tell =
      procfsroot::LookedUpStat(*found).ok() && procfsroot::LookedUpStat(handle).ok();
  return both_tell && !procfsroot::IsSameFile(*found, handle);
}

}  // namespace

absl::StatusOr<std::string> CheckedFsPath(const Root& root, base::FdRef handle) {
  NSCTL_ASSIGN_OR_RETURN(std::string path, root.DisplayPath(handle));
  // The kernel tells the path of what was unmounted from where it was mounted on, and of what a
  // changed root of this process hides from another one.
  if (IsRefuted(root, path, handle)) {
    return procfsroot::ErrnoStatusInWords(ESTALE, "find path of", handle.path(),
                                          "was moved or removed meanwhile");
  }
  return path;
}

absl::StatusOr<FsPlace> FindFsPlace(const Root& root, absl::string_view path,
                                    procfsroot::PathRules rules) {
  for (int attempt = 1;; ++attempt) {
    NSCTL_ASSIGN_OR_RETURN(base::OwnedFd handle, root.Resolve(path, rules));
    absl::StatusOr<std::string> found = CheckedFsPath(root, handle);
    if (found.ok()) return FsPlace{std::move(handle), *std::move(found)};
    if (base::ErrnoOf(found.status()) != ESTALE || attempt == kMaxAttempts) return found.status();
  }
}

}  // namespace nsctl::cmd
