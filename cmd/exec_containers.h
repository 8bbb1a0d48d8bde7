// The containers among the TARGETs of `nsctl exec`, found while nothing can hold that command up.

#ifndef NSCTL_CMD_EXEC_CONTAINERS_H_
#define NSCTL_CMD_EXEC_CONTAINERS_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/environment.h"
#include "cmd/exec_options.h"
#include "cmd/exec_target.h"

namespace nsctl::cmd {

// Has the system leave out those processes that cannot be read, of those that exec will read: of
// all where a target is a container or a namespace, else of the targets.
void LeaveOutHeld(const ExecSettings& settings, Environment& env);

// ContainerTargets::ResolveToRun of each target that is a container; `wait` is for all engines.
// They are asked in another process, which is left behind where a socket's file server leaves it
// waiting. To be called from a process without other threads. Errors: those of AskApart.
absl::StatusOr<ExecContainers> FindExecContainers(const ExecSettings& settings, absl::Duration wait,
                                                  Environment& env);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_CONTAINERS_H_
