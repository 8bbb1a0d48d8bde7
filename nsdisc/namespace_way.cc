#include "nsdisc/namespace_way.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/nsfs.h"
#include "base/nsfs_handle.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "nsdisc/copied_fd.h"
#include "procfsroot/mount_namespace_root.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::nsdisc {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::NamespaceType;
using base::OwnedFd;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

absl::StatusOr<OwnedFd> OpenPidfdOf(const NamespaceWay& way) {
  return way.tid != 0 ? base::OpenThreadPidfd({way.tid}) : base::OpenPidfd({way.pid});
}

absl::StatusOr<OwnedFd> OpenLink(const Procfs& procfs, const NamespaceWay& way,
                                 NamespaceType type) {
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir dir, OpenHolder(procfs, way));
  absl::StatusOr<OwnedFd> fd = dir.OpenNamespace(LinkEntryOf(way, type));
  // The link is not there before the first child is; pidfds tell nevertheless.
  const bool may_await_child = way.for_children && base::ErrnoOf(fd.status()) == ENOENT;
  if (fd.ok() || !may_await_child || !procfs.has_own_pids()) return fd;
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenPidfdOf(way));
  absl::StatusOr<OwnedFd> ordered = base::OpenNamespaceForChildrenOf(pidfd, type);
  return ordered.ok() ? std::move(ordered) : std::move(fd);
}

absl::StatusOr<OwnedFd> OpenFd(const Procfs& procfs, const NamespaceWay& way) {
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir dir, OpenHolder(procfs, way));
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd handle,
                         base::OpenAt(dir.fd(), absl::StrCat("fd/", way.fd), O_PATH));
  return procfsroot::ReopenNamespaceFile(handle);
}

absl::StatusOr<OwnedFd> OpenNetworkNamespace(const NamespaceWay& way) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd pidfd, OpenPidfdOf(way));
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd copy, way.kind == NamespaceWay::Kind::kTun
                                                 ? CopyTun(pidfd, way.fd)
                                                 : CopySocket(pidfd, way.fd, 0));
  const int fd = ioctl(copy.get(), SIOCGSKNS);
  if (fd >= 0) return OwnedFd(fd, "network namespace of a socket");
  const int error = errno;
  return ErrnoStatus(error, "ioctl SIOCGSKNS", copy.path());
}

// The mount namespace with that id, by a walk along the kernel's list of them.
absl::StatusOr<OwnedFd> FindMountNamespace(const Procfs& procfs, uint64_t kernel_id) {
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  for (const bool forward : {true, false}) {
    NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, self.OpenNamespace("mnt"));
    while (true) {
      absl::StatusOr<base::MountNamespaceNeighbour> next =
          forward ? base::OpenNextMountNamespace(fd) : base::OpenPreviousMountNamespace(fd);
      if (!next.ok() && base::ErrnoOf(next.status()) == ENOENT) break;
      NSCTL_RETURN_IF_ERROR(next.status());
      if (next->info.kernel_id == kernel_id) return std::move(next->fd);
      fd = std::move(next->fd);
    }
  }
  return ErrnoStatus(ESTALE, "ioctl NS_MNT_GET_NEXT", "mount namespace");
}

absl::StatusOr<OwnedFd> OpenHandle(const Procfs& procfs, const NamespaceWay& way,
                                   const NamespaceTarget& target) {
  base::NamespaceHandle handle;
  handle.kernel_id = way.kernel_id;
  // Linux 6.19 takes an id alone, or all three.
  if (target.inode != 0) {
    handle.type = target.type;
    handle.inode = target.inode;
  }
  absl::StatusOr<OwnedFd> fd = base::OpenByHandle(handle);
  // Linux 6.12 to 6.17 list mount namespaces and have no handles.
  const bool has_no_handles =
      base::IsUnsupported(fd.status()) || base::ErrnoOf(fd.status()) == EBADF;
  if (target.type != NamespaceType::kMnt || !has_no_handles) return fd;
  return FindMountNamespace(procfs, way.kernel_id);
}

// One step of a chain: what is at `path` in the mount namespace `where`, or, where that holds
// nothing, in the caller's own.
absl::StatusOr<OwnedFd> OpenStep(const Procfs& procfs, const OwnedFd& where,
                                 const std::string& path, NamespaceType type) {
  // A mount point's path holds no links, but who may write to a directory on the way can put one.
  using procfsroot::PathLinks;
  if (where.ok()) {
    NSCTL_ASSIGN_OR_RETURN(const OwnedFd root, procfsroot::OpenRootOf(where));
    return procfsroot::OpenNamespaceFileAt(root, path, PathLinks::kRefused);
  }
  if (const auto way = WayThroughProcfs(procfs, path, type)) {
    return OpenWay(procfs, *way, {type, 0});
  }
  return procfsroot::OpenNamespaceFileAt(FdRef(AT_FDCWD), path, PathLinks::kRefused);
}

// The last path of a chain.
absl::StatusOr<OwnedFd> OpenPath(const Procfs& procfs, const NamespaceWay& way,
                                 NamespaceType type) {
  if (way.path.empty()) return absl::InvalidArgumentError("no path to a namespace");
  OwnedFd at;
  if (way.kernel_id != 0) {
    NSCTL_ASSIGN_OR_RETURN(at, OpenHandle(procfs, way, {NamespaceType::kMnt, way.mount_namespace}));
  }
  for (size_t i = 0; i < way.path.size(); ++i) {
    const bool is_last = i + 1 == way.path.size();
    NSCTL_ASSIGN_OR_RETURN(at,
                           OpenStep(procfs, at, way.path[i], is_last ? type : NamespaceType::kMnt));
  }
  return at;
}

}  // namespace

std::optional<NamespaceWay> WayThroughProcfs(const Procfs& procfs, absl::string_view path,
                                             base::NamespaceType type) {
  if (!absl::ConsumePrefix(&path, procfs.path()) || !absl::ConsumePrefix(&path, "/")) {
    return std::nullopt;
  }
  std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  NamespaceWay way;
  if (parts.size() == 5 && parts[1] == "task" && absl::SimpleAtoi(parts[2], &way.tid)) {
    parts.erase(parts.begin() + 1, parts.begin() + 3);
  }
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &way.pid)) return std::nullopt;
  if (parts[1] == "fd" && absl::SimpleAtoi(parts[2], &way.fd)) {
    way.kind = NamespaceWay::Kind::kFd;
    return way;
  }
  const char* const for_children = base::InfoOf(type).for_children_entry;
  way.for_children = for_children != nullptr && parts[2] == for_children;
  const bool is_link = parts[1] == "ns" && parts[2] == LinkEntryOf(way, type);
  return is_link ? std::optional<NamespaceWay>(way) : std::nullopt;
}

absl::StatusOr<ProcessDir> OpenHolder(const Procfs& procfs, const NamespaceWay& way) {
  absl::StatusOr<ProcessDir> process = procfs.OpenProcess({way.pid});
  if (!process.ok() || way.tid == 0) return process;
  return process->OpenThread({way.tid});
}

const char* LinkEntryOf(const NamespaceWay& way, NamespaceType type) {
  const base::NamespaceTypeInfo& info = base::InfoOf(type);
  return way.for_children ? info.for_children_entry : info.name;
}

absl::StatusOr<OwnedFd> OpenWay(const Procfs& procfs, const NamespaceWay& way,
                                const NamespaceTarget& target) {
  // A recorded tree's paths and ids are another kernel's.
  if (way.kind != NamespaceWay::Kind::kLink && !procfs.is_kernel()) {
    return ErrnoStatus(ENOENT, "open", procfs.path());
  }
  absl::StatusOr<OwnedFd> fd;
  switch (way.kind) {
    case NamespaceWay::Kind::kLink:
      return OpenLink(procfs, way, target.type);
    case NamespaceWay::Kind::kFd:
      fd = OpenFd(procfs, way);
      break;
    case NamespaceWay::Kind::kSocket:
    case NamespaceWay::Kind::kTun:
      fd = OpenNetworkNamespace(way);
      break;
    case NamespaceWay::Kind::kPath:
      fd = OpenPath(procfs, way, target.type);
      break;
    case NamespaceWay::Kind::kHandle:
      fd = OpenHandle(procfs, way, target);
      break;
  }
  NSCTL_RETURN_IF_ERROR(fd.status());
  NSCTL_ASSIGN_OR_RETURN(const NamespaceType type, base::NamespaceTypeOf(*fd));
  if (type != target.type) return ErrnoStatus(ESTALE, "open", fd->path());
  return fd;
}

std::vector<std::string> ReferenceOf(const Procfs& procfs, const NamespaceWay& way,
                                     NamespaceType type) {
  const std::string thread = way.tid == 0 ? "" : absl::StrCat("/task/", way.tid);
  switch (way.kind) {
    case NamespaceWay::Kind::kLink:
      return {absl::StrCat(procfs.path(), "/", way.pid, thread, "/ns/", LinkEntryOf(way, type))};
    case NamespaceWay::Kind::kFd:
      return {absl::StrCat(procfs.path(), "/", way.pid, thread, "/fd/", way.fd)};
    case NamespaceWay::Kind::kPath:
      return way.kernel_id == 0 ? way.path : std::vector<std::string>();
    case NamespaceWay::Kind::kSocket:
    case NamespaceWay::Kind::kTun:
    case NamespaceWay::Kind::kHandle:
      return {};
  }
  return {};
}

}  // namespace nsctl::nsdisc
