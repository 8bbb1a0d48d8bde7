// What `nsctl exec --dry-run` says would be done.

#ifndef NSCTL_CMD_EXEC_DRY_RUN_H_
#define NSCTL_CMD_EXEC_DRY_RUN_H_

#include <string>

#include "absl/status/statusor.h"
#include "cmd/exec.pb.h"
#include "cmd/exec_prepare.h"

namespace nsctl::cmd {

// Prepares all that a run would, and enters nothing. What stands in the way of a run is the
// result's error. Errors: those of PlanExec; UsageError.
absl::StatusOr<ExecResult> DryRunExec(const ExecScene& scene, const std::string& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_DRY_RUN_H_
