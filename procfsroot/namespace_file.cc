#include "procfsroot/namespace_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/handle.h"
#include "procfsroot/open_apart.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// A rename or an unmount elsewhere makes the caches' answer uncertain for a moment.
constexpr int kCacheAttempts = 3;

absl::StatusOr<dev_t> FindDevice() {
  NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd own, self.OpenNamespace("mnt"));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(own));
  return id.device;
}

// That of the kernel's one nsfs, the same as long as the kernel runs.
absl::StatusOr<dev_t> NamespaceDevice() {
  static const absl::StatusOr<dev_t>* const device = new absl::StatusOr<dev_t>(FindDevice());
  return *device;
}

// What the kernel's caches know is at `path`; nullopt where they do not, or cannot be asked alone.
std::optional<absl::StatusOr<OwnedFd>> OpenFromCaches(FdRef directory, const std::string& path,
                                                      PathLinks links) {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_CACHED;
  if (links == PathLinks::kRefused) {
    how.flags |= O_NOFOLLOW;
    how.resolve |= RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  }
  if (directory.get() != AT_FDCWD) how.resolve |= RESOLVE_IN_ROOT;
  for (int attempt = 0; attempt < kCacheAttempts; ++attempt) {
    const long fd = syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof(how));
    const int error = errno;
    if (fd >= 0) return OwnedFd(static_cast<int>(fd), path);
    if (error == EAGAIN) continue;
    // EINVAL: RESOLVE_CACHED is not known. EPERM: a seccomp filter.
    if (error == ENOSYS || error == EPERM || error == EINVAL) return std::nullopt;
    return ErrnoStatus(error, "open", path);
  }
  return std::nullopt;
}

}  // namespace

bool IsNamespaceFile(FdRef handle) {
  const absl::StatusOr<dev_t> device = NamespaceDevice();
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  return device.ok() && statx(handle.get(), "", kFlags, STATX_TYPE, &status) == 0 &&
         makedev(status.stx_dev_major, status.stx_dev_minor) == *device;
}

absl::StatusOr<OwnedFd> ReopenNamespaceFile(FdRef handle) {
  if (!IsNamespaceFile(handle)) return ErrnoStatus(ESTALE, "open", handle.path());
  NSCTL_ASSIGN_OR_RETURN(const SelfFds self, SelfFds::Open());
  return self.Reopen(handle, O_RDONLY);
}

absl::StatusOr<OwnedFd> OpenNamespaceFileAt(FdRef directory, const std::string& path,
                                            PathLinks links, absl::Duration timeout) {
  if (path.size() >= PATH_MAX) return ErrnoStatus(ENAMETOOLONG, "open", path);
  if (std::optional<absl::StatusOr<OwnedFd>> known = OpenFromCaches(directory, path, links)) {
    NSCTL_RETURN_IF_ERROR(known->status());
    return ReopenNamespaceFile(**known);
  }
  NSCTL_ASSIGN_OR_RETURN(const dev_t device, NamespaceDevice());
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd handle,
                         OpenApart({.directory = directory,
                                    .path = path,
                                    .follow_links = links == PathLinks::kFollowed,
                                    .device = device},
                                   timeout));
  return ReopenNamespaceFile(handle);
}

}  // namespace nsctl::procfsroot
