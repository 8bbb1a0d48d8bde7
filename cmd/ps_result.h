// From a snapshot to what `nsctl ps` answers.

#ifndef NSCTL_CMD_PS_RESULT_H_
#define NSCTL_CMD_PS_RESULT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cmd/ps.pb.h"
#include "cmd/ps_selection.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Takes memory and time in proportion to the snapshot, however deep processes nest. Errors: those
// of SelectProcesses.
absl::StatusOr<ProcessTree> BuildProcessTree(const nsdisc::Snapshot& snapshot,
                                             const PsRequest& request);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PS_RESULT_H_
