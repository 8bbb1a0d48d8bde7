// What the kernel answers about a namespace that is open as a file: the nsfs ioctls with typed
// results.
//
// Every function takes a descriptor of an nsfs file (opened from /proc/PID/ns/*, a bind mount, or
// another function here). Descriptors that are returned are O_CLOEXEC. Errors common to all: ENOTTY
// where `fd` is no namespace or the kernel does not know the request, EINVAL where the request does
// not fit the namespace's type (base::IsUnsupported covers both).
// Source: ioctl_nsfs(2), fs/nsfs.c.

#ifndef NSCTL_BASE_NSFS_H_
#define NSCTL_BASE_NSFS_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::base {

// (device, inode) by fstat(2). Does not check that `fd` is a namespace.
absl::StatusOr<NamespaceId> NamespaceIdOf(FdRef fd);

// NS_GET_NSTYPE (Linux 4.11).
absl::StatusOr<NamespaceType> NamespaceTypeOf(FdRef fd);

// NS_GET_USERNS (4.9): the owning user namespace; for a user namespace its parent. EPERM where that
// is outside of the caller's user namespace and its descendants, or there is none.
absl::StatusOr<OwnedFd> OpenOwner(FdRef fd);

// NS_GET_PARENT (4.9), user and pid only. EPERM where the parent is outside of the caller's scope
// or `fd` is the initial namespace: the kernel does not tell the two apart.
absl::StatusOr<OwnedFd> OpenParent(FdRef fd);

// NS_GET_OWNER_UID (4.11), user only: the creator's uid as the caller's user namespace sees it (the
// overflow uid where it has no mapping).
absl::StatusOr<uid_t> OwnerUidOf(FdRef fd);

// NS_GET_ID (6.18): the 64-bit id that is never dealt twice while the kernel runs.
absl::StatusOr<uint64_t> KernelIdOf(FdRef fd);

// NS_GET_MNTNS_ID (6.11), mnt only: the same id for mount namespaces, on earlier kernels.
absl::StatusOr<uint64_t> MountNamespaceIdOf(FdRef fd);

struct MountNamespaceInfo {
  // Mounts in the namespace; the kernel does not count its root mount.
  uint32_t mount_count = 0;
  uint64_t kernel_id = 0;
};
// NS_MNT_GET_INFO (6.12), mnt only.
absl::StatusOr<MountNamespaceInfo> MountNamespaceInfoOf(FdRef fd);

// NS_MNT_GET_NEXT and NS_MNT_GET_PREV (6.12): the neighbour in the kernel's list of all mount
// namespaces. ENOENT at the list's end; EPERM without CAP_SYS_ADMIN in the initial user namespace
// or outside of the initial PID namespace.
struct MountNamespaceNeighbour {
  OwnedFd fd;
  MountNamespaceInfo info;
};
absl::StatusOr<MountNamespaceNeighbour> OpenNextMountNamespace(FdRef fd);
absl::StatusOr<MountNamespaceNeighbour> OpenPreviousMountNamespace(FdRef fd);

// NS_GET_{PID,TGID}_FROM_PIDNS (6.11), pid only: the caller's number for the thread (process) that
// is `pid` in the namespace `fd`. ESRCH where there is none or the caller cannot see it; some
// kernels before 6.18 say ENOTTY then.
absl::StatusOr<Tid> TidFromPidNamespace(FdRef fd, Tid tid);
absl::StatusOr<Pid> PidFromPidNamespace(FdRef fd, Pid pid);

// NS_GET_{PID,TGID}_IN_PIDNS (6.11), pid only: the number in the namespace `fd` of the thread
// (process) that is `pid` to the caller. ESRCH where it has none there, or ENOTTY, as above.
absl::StatusOr<Tid> TidInPidNamespace(FdRef fd, Tid tid);
absl::StatusOr<Pid> PidInPidNamespace(FdRef fd, Pid pid);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_NSFS_H_
