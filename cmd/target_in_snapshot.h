// From a TARGET to what it means among the processes and namespaces of a snapshot.

#ifndef NSCTL_CMD_TARGET_IN_SNAPSHOT_H_
#define NSCTL_CMD_TARGET_IN_SNAPSHOT_H_

#include "absl/status/statusor.h"
#include "cmd/target.h"
#include "engines/container.pb.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

// A process, a namespace, or a container with its initial process where the snapshot has that;
// borrowed from the snapshot.
struct TargetInSnapshot {
  const nsdisc::Process* process = nullptr;
  const nsdisc::Namespace* ns = nullptr;
  const engines::Container* container = nullptr;
};

// Errors: NOT_FOUND where the index's snapshot has none such; FAILED_PRECONDITION for a path, which
// can be looked up on a live host alone (target_scan.h); those of FindContainer.
absl::StatusOr<TargetInSnapshot> FindTargetIn(const nsdisc::SnapshotIndex& index,
                                              const Target& target);

// The same for what must be a process or a namespace: of a container that is its initial process.
// FAILED_PRECONDITION for one that has none; NOT_FOUND where the snapshot does not have it.
absl::StatusOr<TargetInSnapshot> FindPlaceIn(const nsdisc::SnapshotIndex& index,
                                             const Target& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_IN_SNAPSHOT_H_
