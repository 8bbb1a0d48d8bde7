#include "base/pidfd.h"

#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

absl::StatusOr<OwnedFd> Open(pid_t number, unsigned int flags, absl::string_view kind) {
  const long fd = syscall(SYS_pidfd_open, number, flags);
  if (fd < 0) {
    const int error = errno;
    return ErrnoStatus(error, "pidfd_open", absl::StrCat(kind, " ", number));
  }
  return OwnedFd(static_cast<int>(fd), absl::StrCat(kind, " ", number));
}

absl::StatusOr<OwnedFd> OpenNamespace(FdRef pidfd, uint8_t request, absl::string_view entry) {
  // The kernel demands that all of the argument is 0.
  const int fd = ioctl(pidfd.get(), _IO(abi::kPidfsIoctlMagic, request), 0UL);
  if (fd < 0) {
    const int error = errno;
    return ErrnoStatus(error,
                       absl::StrCat("ioctl PIDFD_GET_", absl::AsciiStrToUpper(entry), "_NAMESPACE"),
                       pidfd.path());
  }
  return OwnedFd(fd, absl::StrCat(entry, " namespace of ", pidfd.path()));
}

PidfdInfo FromKernel(const abi::PidfdInfo& raw) {
  PidfdInfo info;
  info.pid = Pid{static_cast<pid_t>(raw.pid)};
  info.tgid = Pid{static_cast<pid_t>(raw.tgid)};
  info.ppid = Pid{static_cast<pid_t>(raw.ppid)};
  info.real_uid = raw.ruid;
  info.effective_uid = raw.euid;
  info.saved_uid = raw.suid;
  info.fs_uid = raw.fsuid;
  info.real_gid = raw.rgid;
  info.effective_gid = raw.egid;
  info.saved_gid = raw.sgid;
  info.fs_gid = raw.fsgid;
  if (raw.mask & abi::kPidfdInfoCgroupid) info.cgroup_id = raw.cgroupid;
  if (raw.mask & abi::kPidfdInfoExit) info.exit_code = raw.exit_code;
  return info;
}

}  // namespace

absl::StatusOr<OwnedFd> OpenPidfd(Pid pid) { return Open(pid.value, 0, "process"); }

absl::StatusOr<OwnedFd> OpenThreadPidfd(Tid tid) {
  return Open(tid.value, abi::kPidfdThread, "thread");
}

absl::StatusOr<std::optional<uint64_t>> PidfdInodeOf(FdRef pidfd) {
  // The kernel's one pidfs, once it was met: its device number is no other file system's.
  static std::atomic<dev_t> pidfs = 0;
  NSCTL_ASSIGN_OR_RETURN(const struct stat status, Stat(pidfd));
  if (status.st_dev == pidfs && pidfs != 0) return std::optional<uint64_t>(status.st_ino);
  struct statfs filesystem;
  if (fstatfs(pidfd.get(), &filesystem) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "fstatfs", pidfd.path());
  }
  if (static_cast<uint64_t>(filesystem.f_type) != abi::kPidFsMagic) {
    return std::optional<uint64_t>();
  }
  pidfs = status.st_dev;
  return std::optional<uint64_t>(status.st_ino);
}

absl::StatusOr<OwnedFd> CopyFdFrom(FdRef pidfd, int fd) {
  const long copy = syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0);
  if (copy < 0) {
    const int error = errno;
    return ErrnoStatus(error, "pidfd_getfd", absl::StrCat("fd ", fd, " of ", pidfd.path()));
  }
  return OwnedFd(static_cast<int>(copy), absl::StrCat("fd ", fd, " of ", pidfd.path()));
}

absl::StatusOr<PidfdInfo> PidfdInfoOf(FdRef pidfd) {
  abi::PidfdInfo raw = {};
  raw.mask =
      abi::kPidfdInfoPid | abi::kPidfdInfoCreds | abi::kPidfdInfoCgroupid | abi::kPidfdInfoExit;
  if (ioctl(pidfd.get(), abi::kPidfdGetInfo, &raw) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "ioctl PIDFD_GET_INFO", pidfd.path());
  }
  return FromKernel(raw);
}

absl::StatusOr<OwnedFd> OpenNamespaceOf(FdRef pidfd, NamespaceType type) {
  const NamespaceTypeInfo& info = InfoOf(type);
  return OpenNamespace(pidfd, info.pidfd_request, info.name);
}

absl::StatusOr<OwnedFd> OpenNamespaceForChildrenOf(FdRef pidfd, NamespaceType type) {
  const NamespaceTypeInfo& info = InfoOf(type);
  if (info.for_children_entry == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("children have no ", info.name, " namespace of their own"));
  }
  return OpenNamespace(pidfd, info.pidfd_for_children_request, info.for_children_entry);
}

}  // namespace nsctl::base
