// From a TARGET and the options beside it to what is to be entered.

#ifndef NSCTL_CMD_EXEC_TARGET_H_
#define NSCTL_CMD_EXEC_TARGET_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cmd/exec_options.h"
#include "cmd/target.h"
#include "nsdisc/questions.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

struct ExecTarget {
  // Held from here to the entry, never looked up by its number again. Null where the target is no
  // process.
  std::unique_ptr<procfsroot::GuardedProcess> process;
  // Points to `process`.
  nsentry::EntryRequest request;
};

// `target` may be empty, where options name all that is to be entered. Without options a process
// means all of its namespaces, and another target itself alone. Errors: INVALID_ARGUMENT for what
// is no TARGET; UsageError where a target is asked for what it has not; those of opening, one line
// each.
//
// A container is a process by now: what `containers` has for its name.
using ExecContainers = std::map<std::string, absl::StatusOr<Target>>;
absl::StatusOr<ExecTarget> ResolveExecTarget(const ExecSettings& settings,
                                             const std::string& target,
                                             const ExecContainers& containers,
                                             const procfsroot::Procfs& procfs,
                                             const nsdisc::Questions& questions);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_TARGET_H_
