#include "cmd/target_in_snapshot.h"

#include <string>
#include <variant>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/container_search.h"
#include "cmd/initial_process.h"
#include "cmd/unasked_engines.h"
#include "nsdisc/process_order.h"

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
    if (ns == nullptr) {
      return absl::NotFoundError(absl::StrCat("no namespace ", ToString(target), Unseen()));
    }
    return TargetInSnapshot{.ns = ns};
  }

  absl::StatusOr<TargetInSnapshot> operator()(const PathTarget&) const {
    return absl::FailedPreconditionError("a path means a namespace on the running host alone");
  }

  absl::StatusOr<TargetInSnapshot> operator()(const ContainerTarget& target) const {
    return FindOne(target);
  }

  absl::StatusOr<TargetInSnapshot> operator()(const ContainerIdTarget& target) const {
    return FindOne(target);
  }

 private:
  // Where else a namespace may be that is not in the snapshot.
  std::string Unseen() const {
    const auto in_flight = absl::c_count_if(index_.snapshot().gaps(), [](const nsdisc::Gap& gap) {
      return gap.operation() == "read SCM_RIGHTS";
    });
    if (in_flight == 0) return "";
    return absl::StrCat(" in sight; descriptors that wait in sockets of ", in_flight,
                        in_flight == 1 ? " process" : " processes",
                        " could not be looked at, --census=bpf may find it");
  }

  absl::StatusOr<TargetInSnapshot> FindOne(const Target& target) const {
    if (!index_.snapshot().options().containers()) {
      return absl::FailedPreconditionError(
          absl::StrCat("no container ", base::TerminalText(ToString(target)),
                       ": engines were not asked (--no-containers, or not the running host)"));
    }
    const absl::StatusOr<const engines::Container*> found =
        FindContainer(index_.snapshot(), target);
    if (absl::IsNotFound(found.status())) {
      return absl::NotFoundError(
          absl::StrCat(found.status().message(), UnaskedText(index_.snapshot().gaps())));
    }
    NSCTL_ASSIGN_OR_RETURN(const engines::Container* container, found);
    const int position =
        nsdisc::PositionOf(index_.snapshot(), container->pid(), container->start_time());
    return TargetInSnapshot{.process = position == nsdisc::ProcessOrder::kNone
                                           ? nullptr
                                           : &index_.snapshot().processes(position),
                            .container = container};
  }

  const SnapshotIndex& index_;
};

}  // namespace

absl::StatusOr<TargetInSnapshot> FindTargetIn(const SnapshotIndex& index, const Target& target) {
  return std::visit(Finder(index), target);
}

absl::StatusOr<TargetInSnapshot> FindPlaceIn(const SnapshotIndex& index, const Target& target) {
  NSCTL_ASSIGN_OR_RETURN(const TargetInSnapshot found, FindTargetIn(index, target));
  if (found.container == nullptr || found.process != nullptr) return found;
  NSCTL_ASSIGN_OR_RETURN(
      const ProcessTarget process,
      InitialProcessOf(*found.container,
                       index.snapshot().has_taken_at()
                           ? absl::FromUnixSeconds(index.snapshot().taken_at().seconds())
                           : absl::UnixEpoch()));
  return absl::NotFoundError(absl::StrCat("process ", process.pid.value, " of container ",
                                          base::TerminalText(found.container->name()),
                                          " was not seen: it ended, or the engine is wrong"));
}

}  // namespace nsctl::cmd
