// Everything that `nsctl exec` opens, reads and decides before it forks.

#ifndef NSCTL_CMD_EXEC_PREPARE_H_
#define NSCTL_CMD_EXEC_PREPARE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/exec_child.h"
#include "cmd/exec_options.h"
#include "cmd/exec_target.h"
#include "nsdisc/questions.h"
#include "nsentry/enter.h"
#include "nsentry/entry_plan.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// The world as it is for all targets of one call. Members are borrowed.
struct ExecScene {
  const ExecSettings& settings;
  const procfsroot::Procfs& procfs;
  nsdisc::Questions questions;
  // Of nsctl itself.
  const std::vector<std::string>& environment;
  // Tells the user while commands run.
  std::function<void(const std::string&)> warn;
  const ExecContainers& containers;
};

struct PreparedExec {
  ExecTarget target;
  std::unique_ptr<nsentry::EntryPlan> plan;
  ExecChildSpec spec;
};

// What is to be entered; nothing else yet. Errors: those of ResolveExecTarget and EntryPlan::Make.
absl::StatusOr<PreparedExec> PlanExec(const ExecScene& scene, const std::string& target);

// The rest: who and what runs there. Errors: those of plan->Check(); of whatever an option asks
// for.
absl::Status CompleteExec(const ExecScene& scene, PreparedExec* prepared);

// Why the entry failed, as gons says it where --gons-env was given.
absl::Status ExecEntryStatus(const ExecSettings& settings, const nsentry::EntryPlan& plan,
                             const nsentry::EntryResult& result);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_PREPARE_H_
