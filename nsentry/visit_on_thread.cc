#include "nsentry/visit_on_thread.h"

#include <sched.h>

#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "nsentry/enter.h"

namespace nsctl::nsentry::internal {
namespace {

constexpr uint32_t kOfThreads =
    CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

}  // namespace

absl::Status CheckThreadCan(const EntryPlan& plan) {
  for (const EntryStep& step : plan.steps()) {
    const base::NamespaceTypeInfo& info = base::InfoOf(step.type);
    if ((info.clone_flag & kOfThreads) != 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("a thread alone cannot be in another ", info.name, " namespace"));
  }
  return plan.Check();
}

absl::Status MoveThread(const EntryPlan& plan) {
  // setns(2) demands a root and current directory that no other task shares.
  if (plan.Enters(base::NamespaceType::kMnt) && unshare(CLONE_FS) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "unshare CLONE_FS");
  }
  return EntryStatus(plan, Enter(plan, EntryMethod::kAuto));
}

}  // namespace nsctl::nsentry::internal
