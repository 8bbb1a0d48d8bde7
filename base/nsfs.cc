#include "base/nsfs.h"

#include <sys/ioctl.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// `argument` is a pointer or as wide as one: the kernel looks at all of its bits.
template <typename Argument>
absl::StatusOr<int> Ask(FdRef fd, unsigned long request, absl::string_view name,
                        Argument argument) {
  const int result = ioctl(fd.get(), request, argument);
  if (result < 0) {
    const int error = errno;
    return ErrnoStatus(error, absl::StrCat("ioctl ", name), fd.path());
  }
  return result;
}

absl::StatusOr<OwnedFd> OpenRelated(FdRef fd, unsigned long request, absl::string_view name,
                                    absl::string_view relation) {
  NSCTL_ASSIGN_OR_RETURN(const int related, Ask(fd, request, name, 0UL));
  return OwnedFd(related, absl::StrCat(relation, " of ", fd.path()));
}

absl::StatusOr<uint64_t> AskId(FdRef fd, unsigned long request, absl::string_view name) {
  uint64_t id = 0;
  NSCTL_RETURN_IF_ERROR(Ask(fd, request, name, &id).status());
  return id;
}

absl::StatusOr<MountNamespaceNeighbour> OpenNeighbour(FdRef fd, unsigned long request,
                                                      absl::string_view name) {
  abi::MntNsInfo info = {};
  NSCTL_ASSIGN_OR_RETURN(const int neighbour, Ask(fd, request, name, &info));
  return MountNamespaceNeighbour{
      OwnedFd(neighbour, absl::StrCat("mnt namespace with id ", info.mnt_ns_id)),
      {info.nr_mounts, info.mnt_ns_id}};
}

}  // namespace

absl::StatusOr<NamespaceId> NamespaceIdOf(FdRef fd) {
  NSCTL_ASSIGN_OR_RETURN(const struct stat status, Stat(fd));
  return NamespaceId{status.st_dev, static_cast<uint32_t>(status.st_ino)};
}

absl::StatusOr<NamespaceType> NamespaceTypeOf(FdRef fd) {
  NSCTL_ASSIGN_OR_RETURN(const int flag, Ask(fd, abi::kNsGetNstype, "NS_GET_NSTYPE", 0UL));
  const std::optional<NamespaceType> type = NamespaceTypeFromCloneFlag(static_cast<uint32_t>(flag));
  if (!type.has_value()) {
    return absl::UnimplementedError(absl::StrCat("ioctl NS_GET_NSTYPE ", fd.path(),
                                                 ": unknown namespace type 0x", absl::Hex(flag)));
  }
  return *type;
}

absl::StatusOr<OwnedFd> OpenOwner(FdRef fd) {
  return OpenRelated(fd, abi::kNsGetUserns, "NS_GET_USERNS", "owner");
}

absl::StatusOr<OwnedFd> OpenParent(FdRef fd) {
  return OpenRelated(fd, abi::kNsGetParent, "NS_GET_PARENT", "parent");
}

absl::StatusOr<uid_t> OwnerUidOf(FdRef fd) {
  uid_t uid = 0;
  NSCTL_RETURN_IF_ERROR(Ask(fd, abi::kNsGetOwnerUid, "NS_GET_OWNER_UID", &uid).status());
  return uid;
}

absl::StatusOr<uint64_t> KernelIdOf(FdRef fd) { return AskId(fd, abi::kNsGetId, "NS_GET_ID"); }

absl::StatusOr<uint64_t> MountNamespaceIdOf(FdRef fd) {
  return AskId(fd, abi::kNsGetMntnsId, "NS_GET_MNTNS_ID");
}

absl::StatusOr<MountNamespaceInfo> MountNamespaceInfoOf(FdRef fd) {
  abi::MntNsInfo info = {};
  NSCTL_RETURN_IF_ERROR(Ask(fd, abi::kNsMntGetInfo, "NS_MNT_GET_INFO", &info).status());
  return MountNamespaceInfo{info.nr_mounts, info.mnt_ns_id};
}

absl::StatusOr<MountNamespaceNeighbour> OpenNextMountNamespace(FdRef fd) {
  return OpenNeighbour(fd, abi::kNsMntGetNext, "NS_MNT_GET_NEXT");
}

absl::StatusOr<MountNamespaceNeighbour> OpenPreviousMountNamespace(FdRef fd) {
  return OpenNeighbour(fd, abi::kNsMntGetPrev, "NS_MNT_GET_PREV");
}

absl::StatusOr<Tid> TidFromPidNamespace(FdRef fd, Tid tid) {
  NSCTL_ASSIGN_OR_RETURN(
      const int number, Ask(fd, abi::kNsGetPidFromPidns, "NS_GET_PID_FROM_PIDNS", long{tid.value}));
  return Tid{number};
}

absl::StatusOr<Pid> PidFromPidNamespace(FdRef fd, Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(const int number, Ask(fd, abi::kNsGetTgidFromPidns,
                                               "NS_GET_TGID_FROM_PIDNS", long{pid.value}));
  return Pid{number};
}

absl::StatusOr<Tid> TidInPidNamespace(FdRef fd, Tid tid) {
  NSCTL_ASSIGN_OR_RETURN(const int number,
                         Ask(fd, abi::kNsGetPidInPidns, "NS_GET_PID_IN_PIDNS", long{tid.value}));
  return Tid{number};
}

absl::StatusOr<Pid> PidInPidNamespace(FdRef fd, Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(const int number,
                         Ask(fd, abi::kNsGetTgidInPidns, "NS_GET_TGID_IN_PIDNS", long{pid.value}));
  return Pid{number};
}

}  // namespace nsctl::base
