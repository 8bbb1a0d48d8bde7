// From a TARGET to what it means among the processes and namespaces of a snapshot.

#ifndef NSCTL_CMD_TARGET_IN_SNAPSHOT_H_
#define NSCTL_CMD_TARGET_IN_SNAPSHOT_H_

#include "absl/status/statusor.h"
#include "cmd/target.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

// One of the two; borrowed from the snapshot.
struct TargetInSnapshot {
  const nsdisc::Process* process = nullptr;
  const nsdisc::Namespace* ns = nullptr;
};

// Errors: NOT_FOUND where the index's snapshot has none such; FAILED_PRECONDITION for a path, which
// can be looked up on a live host alone (target_scan.h); UNIMPLEMENTED for a container.
absl::StatusOr<TargetInSnapshot> FindTargetIn(const nsdisc::SnapshotIndex& index,
                                              const Target& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_IN_SNAPSHOT_H_
