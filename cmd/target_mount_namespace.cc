#include "cmd/target_mount_namespace.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "cmd/mount_namespace_search.h"
#include "cmd/namespace_at_path.h"
#include "procfsroot/guarded_process.h"

namespace nsctl::cmd {
namespace {

using base::OwnedFd;
using procfsroot::GuardedProcess;
using procfsroot::Procfs;

class Opener {
 public:
  explicit Opener(const Procfs& procfs) : procfs_(procfs) {}

  absl::StatusOr<TargetMountNamespace> operator()(const ProcessTarget& target) const {
    NSCTL_ASSIGN_OR_RETURN(const GuardedProcess process,
                           GuardedProcess::Open(procfs_, target.pid, target.pidfd_inode));
    if (target.start_time.value_or(process.start_time()) != process.start_time()) {
      return base::ErrnoStatus(ESRCH, "find process", ToString(target));
    }
    NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, process.directory().OpenNamespace("mnt"));
    NSCTL_RETURN_IF_ERROR(process.CheckAlive());
    return TargetMountNamespace{std::move(fd), target.pid};
  }

  absl::StatusOr<TargetMountNamespace> operator()(const NamespaceTarget& target) const {
    if (target.type != base::NamespaceType::kMnt) return NoMountNamespace(target);
    NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, FindMountNamespace(procfs_, target.inode));
    return TargetMountNamespace{std::move(fd), std::nullopt};
  }

  absl::StatusOr<TargetMountNamespace> operator()(const PathTarget& target) const {
    absl::StatusOr<OwnedFd> fd = OpenNamespaceAtPath(target.path);
    // As findmnt takes a path.
    if (absl::IsInvalidArgument(fd.status())) {
      return absl::InvalidArgumentError(
          absl::StrCat(fd.status().message(), "; -T PATH shows the mount that a path is on"));
    }
    NSCTL_RETURN_IF_ERROR(fd.status());
    NSCTL_ASSIGN_OR_RETURN(const base::NamespaceType type, base::NamespaceTypeOf(*fd));
    if (type != base::NamespaceType::kMnt) {
      NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(*fd));
      return NoMountNamespace({type, id.inode});
    }
    return TargetMountNamespace{*std::move(fd), std::nullopt};
  }

  absl::StatusOr<TargetMountNamespace> operator()(const ContainerTarget& target) const {
    return absl::InvalidArgumentError(absl::StrCat("no process: ", ToString(target)));
  }

  absl::StatusOr<TargetMountNamespace> operator()(const ContainerIdTarget& target) const {
    return absl::InvalidArgumentError(absl::StrCat("no process: ", ToString(target)));
  }

 private:
  const Procfs& procfs_;
};

}  // namespace

absl::Status NoMountNamespace(const NamespaceTarget& target) {
  return absl::InvalidArgumentError(
      absl::StrCat(base::NamespaceLinkText(target.type, target.inode),
                   " has no mounts of its own; name a process or a mnt namespace"));
}

absl::StatusOr<TargetMountNamespace> OpenMountNamespace(const Target& target,
                                                        const Procfs& procfs) {
  return std::visit(Opener(procfs), target);
}

}  // namespace nsctl::cmd
