// The process that a container began with, as a target.

#ifndef NSCTL_CMD_INITIAL_PROCESS_H_
#define NSCTL_CMD_INITIAL_PROCESS_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/target.h"
#include "engines/container.h"

namespace nsctl::cmd {

// FAILED_PRECONDITION where it has none, which says how it ended and how long before `now`.
absl::StatusOr<ProcessTarget> InitialProcessOf(const engines::Container& container, absl::Time now);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_INITIAL_PROCESS_H_
