#include "cmd/target_in_snapshot.h"

#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace nsctl::cmd {
namespace {

using nsdisc::SnapshotIndex;

class Finder {
 public:
  explicit Finder(const SnapshotIndex& index) : index_(index) {}

  absl::StatusOr<TargetInSnapshot> operator()(const ProcessTarget& target) const {
    const nsdisc::Process* process = index_.FindProcess(target.pid.value);
    if (process == nullptr) {
      return absl::NotFoundError(absl::StrCat("no process ", target.pid.value));
    }
    if (target.pidfd_inode.has_value() && process->pidfd_inode() != *target.pidfd_inode) {
      return absl::NotFoundError(
          absl::StrCat("process ", target.pid.value, " is another one than ", ToString(target)));
    }
    return TargetInSnapshot{.process = process};
  }

  absl::StatusOr<TargetInSnapshot> operator()(const NamespaceTarget& target) const {
    const nsdisc::Namespace* ns = index_.FindNamespace(target.type, target.inode);
    if (ns == nullptr) return absl::NotFoundError(absl::StrCat("no namespace ", ToString(target)));
    return TargetInSnapshot{.ns = ns};
  }

  absl::StatusOr<TargetInSnapshot> operator()(const PathTarget&) const {
    return absl::FailedPreconditionError("a path means a namespace on the running host alone");
  }

  absl::StatusOr<TargetInSnapshot> operator()(const ContainerTarget&) const {
    return absl::UnimplementedError("containers are not known yet; name a process of it");
  }

  absl::StatusOr<TargetInSnapshot> operator()(const ContainerIdTarget&) const {
    return absl::UnimplementedError("containers are not known yet; name a process of it");
  }

 private:
  const SnapshotIndex& index_;
};

}  // namespace

absl::StatusOr<TargetInSnapshot> FindTargetIn(const SnapshotIndex& index, const Target& target) {
  return std::visit(Finder(index), target);
}

}  // namespace nsctl::cmd
