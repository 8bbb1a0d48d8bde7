// Shared by the tests of entries: plans for real processes, and where the calling task is.

#ifndef NSCTL_NSENTRY_TEST_SCENE_H_
#define NSCTL_NSENTRY_TEST_SCENE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsentry {

// A process that stays what it is while a test looks at it.
struct Target {
  procfsroot::Procfs procfs;
  procfsroot::GuardedProcess process;

  static absl::StatusOr<Target> Open(base::Pid pid);

  // A plan for its namespaces of `types` (CLONE_NEW*); all that differ for 0.
  absl::StatusOr<EntryPlan> Plan(uint32_t types = 0) const;
};

// Where the calling thread is: "net:[4026531840]".
std::string OwnLink(base::NamespaceType type);
// Where the process `pid` is.
std::string LinkOf(base::Pid pid, base::NamespaceType type);

// The kernel makes this the root's uid outside of all user namespaces that a test makes.
inline constexpr uid_t kNobody = 65534;

// Gives up root for good. False where that fails.
bool BecomeNobody();

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_TEST_SCENE_H_
