// From a snapshot to what `nsctl inspect` answers.

#ifndef NSCTL_CMD_INSPECT_RESULT_H_
#define NSCTL_CMD_INSPECT_RESULT_H_

#include "absl/status/statusor.h"
#include "cmd/inspect.pb.h"
#include "cmd/target_in_snapshot.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

// All about `target`, which is of the index's snapshot. Errors: INTERNAL where it is not.
absl::StatusOr<Inspection> BuildInspection(const nsdisc::SnapshotIndex& index,
                                           const TargetInSnapshot& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_INSPECT_RESULT_H_
