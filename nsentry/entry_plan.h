// What entering a set of namespaces will take: in which order, what is left out, and what will
// fail, known before the first switch.
//
//   NSCTL_ASSIGN_OR_RETURN(const GuardedProcess process, GuardedProcess::Open(
//       procfs, Pid{1234}, std::nullopt, GuardedProcess::Hold::kPidfd));
//   EntryRequest request;
//   request.process = &process;
//   NSCTL_ASSIGN_OR_RETURN(const EntryPlan plan, EntryPlan::Make(procfs, std::move(request)));
//   NSCTL_RETURN_IF_ERROR(plan.Check());
//
// A plan holds every namespace open that it enters. It is made in one thread and describes what
// that thread may do; run_in_namespaces.h and visit_on_thread.h carry it out. Source: setns(2).

#ifndef NSCTL_NSENTRY_ENTRY_PLAN_H_
#define NSCTL_NSENTRY_ENTRY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "nsentry/entry_step.h"
#include "nsentry/namespace_reference.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsentry {

// Namespaces that somebody asks to enter.
struct EntryRequest {
  // From where `types` are taken, and by whose pidfd they are entered at once where the kernel can.
  // May be null. Without a pidfd, nothing is entered at once and its end is not noticed.
  const procfsroot::GuardedProcess* process = nullptr;
  // The types to take from `process`: CLONE_NEW*, as setns(2). A user namespace that the caller is
  // in already will fail; namespaces of other types are left out then.
  uint32_t types = 0;
  // All types, and what the caller is in already is left out, the user namespace too.
  bool all_types = false;
  // Further ones; each takes the place of the process's of its type.
  std::vector<NamespaceReference> references;
  // Enters exactly `references` and `late`, in this order, and lets the kernel say what fails.
  // Otherwise the order is chosen.
  bool as_given = false;
  // With `as_given`: paths that are opened just before they are entered, in the mount namespace
  // that was entered by then. Each goes before the reference with its index.
  struct LatePath {
    size_t before = 0;
    base::NamespaceType type;
    std::string path;
  };
  std::vector<LatePath> late;
};

class EntryPlan {
 public:
  // Opens, identifies, judges and orders. A namespace of the process that cannot be opened is a
  // step that will fail. `procfs` shows the caller, and tells him later where he is.
  // Errors: those of Procfs::OpenSelf; ESRCH where the process has gone meanwhile.
  static absl::StatusOr<EntryPlan> Make(const procfsroot::Procfs& procfs, EntryRequest request);

  // What is entered, in order. Where every step can be taken before the user namespace is joined
  // or after it, the user namespace comes first; a step that only the caller's present capabilities
  // allow goes before it. Otherwise as nsenter: cgroup, ipc, uts, net, pid, mnt, time.
  absl::Span<const EntryStep> steps() const { return steps_; }

  // What is left out since the caller is in it already.
  absl::Span<const EntryStep> skipped() const { return skipped_; }

  // The flags of setns(2) with which one call on pidfd() does it all; 0 where that cannot be:
  // the namespaces are not all of the one process, or need each other's capabilities.
  uint32_t at_once() const { return at_once_; }
  // Of the process; holds nothing where there is none.
  const base::OwnedFd& pidfd() const { return pidfd_; }

  // The first obstacle as a status; OK where there is none. PERMISSION_DENIED with EPERM for a
  // missing capability, the error of opening, FAILED_PRECONDITION otherwise.
  absl::Status Check() const;

  // Types (CLONE_NEW*) of steps().
  uint32_t types() const;
  bool Enters(base::NamespaceType type) const;

  // The procfs that Make was given, which outlives a change of mount namespace.
  base::FdRef procfs() const { return procfs_; }

 private:
  friend class EntryPlanner;

  EntryPlan() = default;

  std::vector<EntryStep> steps_;
  std::vector<EntryStep> skipped_;
  absl::Status first_failure_;
  uint32_t at_once_ = 0;
  base::OwnedFd pidfd_;
  base::OwnedFd procfs_;
};

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTRY_PLAN_H_
