// Runs a C++ function in other namespaces, in a thread of its own of this process.
//
// Cheaper than a process, and its result is any C++ value; but threads can only be in other mnt,
// net, ipc, uts and cgroup namespaces. The thread ends with the visit and is never used again, so
// whatever the function changes of it is gone; the calling thread and all others notice nothing.
//
//   BoundedCaller caller;
//   auto plan = std::make_shared<const EntryPlan>(*EntryPlan::Make(procfs, std::move(request)));
//   NSCTL_ASSIGN_OR_RETURN(const OwnedFd socket, VisitOnThread<OwnedFd>(
//       plan, [] { return MakeSocket(); }, absl::Seconds(5), &caller));

#ifndef NSCTL_NSENTRY_VISIT_ON_THREAD_H_
#define NSCTL_NSENTRY_VISIT_ON_THREAD_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/bounded_call.h"

namespace nsctl::nsentry {

namespace internal {

// INVALID_ARGUMENT where a thread cannot do it.
absl::Status CheckThreadCan(const EntryPlan& plan);

// Moves the calling thread for good.
absl::Status MoveThread(const EntryPlan& plan);

}  // namespace internal

// Returns what `function` returned. `function` and the plan may live on after this call where the
// deadline is over (bounded_call.h), so it owns what it uses; its file system calls after a mount
// namespace was entered see that one's root.
// Errors: INVALID_ARGUMENT where the plan enters a user, PID or time namespace; those of
// EntryStatus and plan.Check(); DEADLINE_EXCEEDED and others of BoundedCaller; those of `function`.
template <typename T>
absl::StatusOr<T> VisitOnThread(std::shared_ptr<const EntryPlan> plan,
                                std::function<absl::StatusOr<T>()> function, absl::Duration timeout,
                                procfsroot::BoundedCaller* caller) {
  if (absl::Status possible = internal::CheckThreadCan(*plan); !possible.ok()) return possible;
  return caller->Run<T>(
      "visit namespaces", timeout,
      [plan = std::move(plan),
       function = std::move(function)](const procfsroot::DeviceGate&) -> absl::StatusOr<T> {
        if (absl::Status moved = internal::MoveThread(*plan); !moved.ok()) return moved;
        return function();
      },
      procfsroot::BoundedCaller::Worker::kUsedOnce);
}

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_VISIT_ON_THREAD_H_
