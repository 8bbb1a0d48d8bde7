// Carries out an entry plan in the calling task, by system calls alone: also in a child after
// fork(2), and in a thread.

#ifndef NSCTL_NSENTRY_ENTER_H_
#define NSCTL_NSENTRY_ENTER_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/namespace_type.h"
#include "nsentry/entry_plan.h"

namespace nsctl::nsentry {

// How namespaces are entered. All give the same result; but for kAuto they are there for tests.
enum class EntryMethod {
  // At once where the plan allows it, and by type where the kernel then refuses.
  kAuto,
  kAtOnce,
  kByType,
};

// How far an entry came. Plain data: it passes through pipes.
struct EntryResult {
  enum class Phase : int32_t {
    // The process of the plan has ended.
    kGone,
    // A late path was opened.
    kOpen,
    // setns(2).
    kJoin,
    // It was looked where the task is.
    kVerify,
    // fork(2), as a child alone is in an entered PID namespace.
    kFork,
    kDone,
  };
  Phase phase = Phase::kDone;
  // Index of the plan's step, where one failed.
  int32_t step = 0;
  // 0 with kVerify: the task is somewhere else than it asked to be.
  int32_t error = 0;
  // Where the task is now, by NamespaceType; 0 where it was not looked. For pid and time the
  // namespace of its next child.
  std::array<uint32_t, base::kNamespaceTypeCount> now = {};

  bool ok() const { return phase == Phase::kDone; }
};

// Moves the calling task into the namespaces of `plan` and verifies by the procfs of the plan that
// it is there. Stops at the first failure; what was entered by then stays so. The caller is the
// only thread of its process where a user or time namespace is entered, and shares its root and
// current directory with no other task where a mount namespace is: that changes both to the root of
// the mount namespace.
EntryResult Enter(const EntryPlan& plan, EntryMethod method);

// What went wrong, as a status that names the step: "setns net of process 1234: ...". OK for ok().
absl::Status EntryStatus(const EntryPlan& plan, const EntryResult& result);

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTER_H_
