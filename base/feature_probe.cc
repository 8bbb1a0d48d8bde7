#include "base/feature_probe.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/listns.h"
#include "base/mount_api.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/nsfs_handle.h"
#include "base/openat2.h"
#include "base/pidfd.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// What an attempt returns where the interface is there but its answer lacks what was asked for.
absl::Status NoAnswer(const char* call) { return ErrnoStatus(EOPNOTSUPP, call); }

absl::Status LastErrno(long result, const char* call) {
  const int error = errno;
  return result < 0 ? ErrnoStatus(error, call) : absl::OkStatus();
}

absl::StatusOr<OwnedFd> OpenOwnPidfd() { return OpenPidfd(Pid{getpid()}); }

absl::StatusOr<OwnedFd> OpenOwnNamespace(FdRef own_namespaces, NamespaceType type) {
  return OpenAt(own_namespaces, InfoOf(type).name, O_RDONLY);
}

// Of the mount that procfs is seen through, which is as good as any.
absl::StatusOr<UniqueMountId> MountIdOf(FdRef fd) {
  struct statx status;
  const int result =
      statx(fd.get(), "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, abi::kStatxMntIdUnique, &status);
  NSCTL_RETURN_IF_ERROR(LastErrno(result, "statx"));
  if (!(status.stx_mask & abi::kStatxMntIdUnique)) return NoAnswer("statx");
  return UniqueMountId{status.stx_mnt_id};
}

absl::Status TryPidfdOpen(FdRef) { return OpenOwnPidfd().status(); }

absl::Status TryPidfdThread(FdRef) {
  return OpenThreadPidfd(Tid{static_cast<pid_t>(syscall(SYS_gettid))}).status();
}

absl::Status TryPidfdGetfd(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenOwnPidfd());
  return CopyFdFrom(pidfd, own_namespaces.get()).status();
}

absl::Status TryPidfs(FdRef) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenOwnPidfd());
  NSCTL_ASSIGN_OR_RETURN(const std::optional<uint64_t> inode, PidfdInodeOf(pidfd));
  return inode.has_value() ? absl::OkStatus() : NoAnswer("fstatfs");
}

absl::Status TryPidfdGetInfo(FdRef) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenOwnPidfd());
  return PidfdInfoOf(pidfd).status();
}

absl::Status TryPidfdGetNamespace(FdRef) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenOwnPidfd());
  return OpenNamespaceOf(pidfd, NamespaceType::kMnt).status();
}

absl::Status TryOpenat2(FdRef own_namespaces) {
  return OpenAt2(own_namespaces, ".", O_PATH | O_DIRECTORY, 0,
                 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
      .status();
}

absl::Status TryStatxMntIdUnique(FdRef own_namespaces) {
  return MountIdOf(own_namespaces).status();
}

absl::Status TryListmount(FdRef) {
  return ListMounts(MountNamespaceRef::Own(), kMaxMounts).status();
}

absl::Status TryStatmount(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const UniqueMountId mount, MountIdOf(own_namespaces));
  StatMountBuffer buffer;
  return StatMount(MountNamespaceRef::Own(), mount, abi::kStatmountMntBasic, &buffer).status();
}

absl::Status TryStatmountSupportedMask(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const UniqueMountId mount, MountIdOf(own_namespaces));
  StatMountBuffer buffer;
  NSCTL_ASSIGN_OR_RETURN(
      const MountStatus status,
      StatMount(MountNamespaceRef::Own(), mount, abi::kStatmountSupportedMask, &buffer));
  return status.supported_mask.has_value() ? absl::OkStatus() : NoAnswer("statmount");
}

absl::Status TryMountNamespaceById(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd mnt, OpenOwnNamespace(own_namespaces, NamespaceType::kMnt));
  NSCTL_ASSIGN_OR_RETURN(const uint64_t id, MountNamespaceIdOf(mnt));
  return ListMounts(MountNamespaceRef::WithId(id), kMaxMounts).status();
}

absl::Status TryMountNamespaceByFd(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd mnt, OpenOwnNamespace(own_namespaces, NamespaceType::kMnt));
  NSCTL_ASSIGN_OR_RETURN(const MountNamespaceRef ns, MountNamespaceRef::OfFd(mnt));
  return ListMounts(ns, kMaxMounts).status();
}

// Asks `question` of the caller's own namespace of `type`.
template <typename Question>
absl::Status AskOwn(FdRef own_namespaces, NamespaceType type, Question question) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd ns, OpenOwnNamespace(own_namespaces, type));
  return question(ns).status();
}

// For requests to which EPERM is an answer like any other: what is asked for lies outside of the
// caller's scope, as a caller's own user namespace's parent always does.
absl::Status UnlessOutOfScope(const absl::Status& status) {
  return ErrnoOf(status) == EPERM ? absl::OkStatus() : status;
}

absl::Status TryGetUserns(FdRef own_namespaces) {
  return UnlessOutOfScope(AskOwn(own_namespaces, NamespaceType::kMnt, OpenOwner));
}

absl::Status TryGetParent(FdRef own_namespaces) {
  return UnlessOutOfScope(AskOwn(own_namespaces, NamespaceType::kPid, OpenParent));
}

absl::Status TryGetNstype(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kMnt, NamespaceTypeOf);
}

absl::Status TryGetOwnerUid(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kUser, OwnerUidOf);
}

absl::Status TryGetMntnsId(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kMnt, MountNamespaceIdOf);
}

absl::Status TryPidnsTranslation(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kPid,
                [](FdRef ns) { return PidInPidNamespace(ns, Pid{getpid()}); });
}

absl::Status TryMntGetNext(FdRef own_namespaces) {
  const absl::Status status = AskOwn(own_namespaces, NamespaceType::kMnt, OpenNextMountNamespace);
  // The caller's own namespace may be the last one.
  return ErrnoOf(status) == ENOENT ? absl::OkStatus() : status;
}

absl::Status TryGetId(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kMnt, KernelIdOf);
}

absl::Status TryNsfsHandle(FdRef own_namespaces) {
  return AskOwn(own_namespaces, NamespaceType::kMnt, HandleOf);
}

absl::Status TryNsfsRoot(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd mnt, OpenOwnNamespace(own_namespaces, NamespaceType::kMnt));
  NSCTL_ASSIGN_OR_RETURN(const NamespaceHandle handle, HandleOf(mnt));
  return OpenByHandle(handle).status();
}

absl::Status TryListns(FdRef) {
  constexpr size_t kAnyNumber = size_t{1} << 24;
  return ListNamespaces({}, kAnyNumber).status();
}

absl::StatusOr<OwnedFd> OpenSocket() {
  OwnedFd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  NSCTL_RETURN_IF_ERROR(LastErrno(socket_fd.get(), "socket"));
  return socket_fd;
}

absl::Status TryNetnsCookie(FdRef) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd socket_fd, OpenSocket());
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return LastErrno(getsockopt(socket_fd.get(), SOL_SOCKET, abi::kSoNetnsCookie, &cookie, &size),
                   "getsockopt");
}

absl::Status TrySocketNamespace(FdRef) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd socket_fd, OpenSocket());
  const OwnedFd net(ioctl(socket_fd.get(), SIOCGSKNS, 0UL));
  return LastErrno(net.get(), "ioctl");
}

absl::Status TryMountWatch(FdRef own_namespaces) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd mnt, OpenOwnNamespace(own_namespaces, NamespaceType::kMnt));
  const OwnedFd watch(
      fanotify_init(abi::kFanReportMnt | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC));
  NSCTL_RETURN_IF_ERROR(LastErrno(watch.get(), "fanotify_init"));
  return LastErrno(fanotify_mark(watch.get(), FAN_MARK_ADD | abi::kFanMarkMntns,
                                 abi::kFanMntAttach | abi::kFanMntDetach, mnt.get(), nullptr),
                   "fanotify_mark");
}

template <NamespaceType kType>
absl::Status TryKind(FdRef own_namespaces) {
  return OpenOwnNamespace(own_namespaces, kType).status();
}

struct Attempt {
  const char* name;
  const char* since;
  absl::Status (*run)(FdRef own_namespaces);
  const char* consequence;
};

constexpr Attempt kAttempts[] = {
    {"pidfd_open", "5.3", TryPidfdOpen,
     "a process that ends while it is looked at may be mistaken for the next one with its number"},
    {"PIDFD_THREAD", "6.9", TryPidfdThread, "threads cannot be held, only their processes"},
    {"pidfd_getfd", "5.6", TryPidfdGetfd,
     "network namespaces that only sockets keep alive are not found"},
    {"pidfs inodes", "6.9", TryPidfs, "processes are told apart by start time, not by inode"},
    {"PIDFD_GET_INFO", "6.13", TryPidfdGetInfo,
     "nothing is known of the cgroup of processes that may not be traced"},
    {"PIDFD_GET_*_NAMESPACE", "6.11", TryPidfdGetNamespace,
     "namespaces of a held process are opened by its number, with a check afterwards"},
    {"openat2", "5.6", TryOpenat2,
     "paths in other roots are walked one component at a time, which is slower"},
    {"STATX_MNT_ID_UNIQUE", "6.8", TryStatxMntIdUnique,
     "open files are matched to mounts by ids that are dealt again"},
    {"listmount", "6.8", TryListmount,
     "mounts are read from mountinfo, which needs a process in the mount namespace"},
    {"statmount", "6.8", TryStatmount,
     "mounts are read from mountinfo, which is slow where thousands are slaves"},
    {"STATMOUNT_SUPPORTED_MASK", "6.15", TryStatmountSupportedMask,
     "what a mount does not have cannot be told from what the kernel does not tell"},
    {"mnt_id_req.mnt_ns_id", "6.11", TryMountNamespaceById,
     "mounts of other mount namespaces need a process in them"},
    {"mnt_id_req.mnt_ns_fd", "6.18", TryMountNamespaceByFd,
     "mounts of other mount namespaces are asked for by id"},
    {"NS_GET_USERNS", "4.9", TryGetUserns, "owners of namespaces are unknown"},
    {"NS_GET_PARENT", "4.9", TryGetParent, "the trees of user and PID namespaces are unknown"},
    {"NS_GET_NSTYPE", "4.11", TryGetNstype,
     "types of namespaces are read from link texts and mount sources"},
    {"NS_GET_OWNER_UID", "4.11", TryGetOwnerUid, "creators of user namespaces are unknown"},
    {"NS_GET_MNTNS_ID", "6.11", TryGetMntnsId, "mount namespaces have no lasting id"},
    {"NS_GET_*_PIDNS", "6.11", TryPidnsTranslation,
     "PIDs in other PID namespaces are read from each process's status"},
    {"NS_MNT_GET_NEXT", "6.12", TryMntGetNext,
     "mount namespaces without process, descriptor and bind mount are not found"},
    {"NS_GET_ID", "6.18", TryGetId, "namespaces are known by inode numbers, which are dealt again"},
    {"nsfs file handles", "6.18", TryNsfsHandle,
     "namespaces cannot be named without keeping them alive"},
    {"FD_NSFS_ROOT", "6.18", TryNsfsRoot, "namespaces cannot be opened by stored names"},
    {"listns", "6.19", TryListns,
     "namespaces without process, descriptor, socket and bind mount are not found"},
    {"SO_NETNS_COOKIE", "5.14", TryNetnsCookie, "sockets are matched to network namespaces later"},
    {"SIOCGSKNS", "4.10", TrySocketNamespace, "network namespaces of sockets are unknown"},
    {"FAN_MARK_MNTNS", "6.15", TryMountWatch, "changes of mounts are found by looking again"},
    {"time namespaces", "5.6", TryKind<NamespaceType::kTime>, "there are none"},
    {"user namespaces", "3.8", TryKind<NamespaceType::kUser>,
     "there are none, and no namespace has an owner"},
    {"cgroup namespaces", "4.6", TryKind<NamespaceType::kCgroup>, "there are none"},
};

}  // namespace

const char* FeatureStateName(FeatureState state) {
  switch (state) {
    case FeatureState::kAvailable:
      return "available";
    case FeatureState::kMissing:
      return "missing";
    case FeatureState::kDenied:
      return "denied";
    case FeatureState::kUnknown:
      break;
  }
  return "unknown";
}

FeatureState FeatureStateFromErrno(int error) {
  if (error == 0) return FeatureState::kAvailable;
  if (IsDenied(error)) return FeatureState::kDenied;
  // ENOENT: no entry for this kind of namespace. ENOPROTOOPT: no such socket option.
  if (IsUnsupported(error) || error == ENOENT || error == ENOPROTOOPT) {
    return FeatureState::kMissing;
  }
  return FeatureState::kUnknown;
}

std::vector<Feature> ProbeFeatures(FdRef own_namespaces) {
  std::vector<Feature> features;
  for (const Attempt& attempt : kAttempts) {
    const absl::Status status = attempt.run(own_namespaces);
    // Some failures are the wrapper's own and have no errno: they still are no success.
    const int error = !status.ok() && ErrnoOf(status) == 0 ? EPROTO : ErrnoOf(status);
    features.push_back(
        {attempt.name, FeatureStateFromErrno(error), error, attempt.since, attempt.consequence});
  }
  return features;
}

}  // namespace nsctl::base
