// Processes held by descriptor, so that a number that is dealt again cannot be mistaken for them.
//
// Source: pidfd_open(2), pidfd_getfd(2), ioctl_pidfd(2), fs/pidfs.c.

#ifndef NSCTL_BASE_PIDFD_H_
#define NSCTL_BASE_PIDFD_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::base {

// pidfd_open (Linux 5.3). ESRCH: no such process. EINVAL: `pid` is a thread that is no leader
// (ENOENT on later kernels).
absl::StatusOr<OwnedFd> OpenPidfd(Pid pid);

// pidfd_open with PIDFD_THREAD (6.9). EINVAL on earlier kernels.
absl::StatusOr<OwnedFd> OpenThreadPidfd(Tid tid);

// The pidfd's inode number: unique while the kernel runs where pidfds live in pidfs (6.9), which is
// checked; nullopt on earlier kernels, where all pidfds share one inode.
absl::StatusOr<std::optional<uint64_t>> PidfdInodeOf(FdRef pidfd);

// pidfd_getfd (5.6): a copy of descriptor `fd` of the process. EPERM without PTRACE_MODE_ATTACH,
// EBADF where the process has no such descriptor.
absl::StatusOr<OwnedFd> CopyFdFrom(FdRef pidfd, int fd);

// PIDFD_GET_INFO (6.13). Needs no ptrace access. Optional fields are those the kernel did not fill.
struct PidfdInfo {
  // As the caller's PID namespace numbers them. `pid` is the thread that the pidfd was opened for,
  // the leader's number unless by OpenThreadPidfd. `ppid` is 0 where the parent is outside. All are
  // 0, and so are the uids and gids, once the process was reaped.
  Pid pid, tgid, ppid;
  uid_t real_uid = 0, effective_uid = 0, saved_uid = 0, fs_uid = 0;
  gid_t real_gid = 0, effective_gid = 0, saved_gid = 0, fs_gid = 0;
  // In the cgroup v2 hierarchy: the inode number of the cgroup's directory.
  std::optional<uint64_t> cgroup_id;
  // As wait(2) tells it, from the process's end on (6.15).
  std::optional<int> exit_code;
};
// ESRCH once the process was reaped and its exit status was not kept; ENOTTY or EINVAL on earlier
// kernels.
absl::StatusOr<PidfdInfo> PidfdInfoOf(FdRef pidfd);

// PIDFD_GET_*_NAMESPACE (6.11): opens the process's namespace of `type`. EACCES without
// PTRACE_MODE_READ_FSCREDS, ESRCH for a zombie, EOPNOTSUPP where the kernel has no such namespaces.
absl::StatusOr<OwnedFd> OpenNamespaceOf(FdRef pidfd, NamespaceType type);
// The same for PIDFD_GET_{PID,TIME}_FOR_CHILDREN_NAMESPACE; INVALID_ARGUMENT for other types.
absl::StatusOr<OwnedFd> OpenNamespaceForChildrenOf(FdRef pidfd, NamespaceType type);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_PIDFD_H_
