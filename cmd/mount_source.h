// Where `nsctl mounts` gets its mounts from.

#ifndef NSCTL_CMD_MOUNT_SOURCE_H_
#define NSCTL_CMD_MOUNT_SOURCE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/mount_list.h"
#include "cmd/target.h"
#include "nsdisc/snapshot.pb.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// The mounts of one mount namespace of the running kernel: of `target`, or where that is absent of
// this process. `procfs` is a live one. Of a process whose namespaces may not be opened, what its
// mountinfo shows, and the namespace has no number.
//
// Errors: those of OpenMountNamespace (target_mount_namespace.h) and ReadMounts.
absl::StatusOr<ScannedMounts> ScanMountsOf(const std::optional<Target>& target,
                                           const procfsroot::Procfs& procfs);

// The mounts of all mount namespaces of `snapshot`, which loses them. Errors: FAILED_PRECONDITION
// where it was taken without mounts.
absl::StatusOr<std::vector<ScannedMounts>> TakeMounts(nsdisc::Snapshot* snapshot);

// The inode of the mount namespace that `target` means in `snapshot`. Errors: NOT_FOUND where it
// has none such; FAILED_PRECONDITION where the target can only be looked up on a live host.
absl::StatusOr<uint32_t> FindMountNamespaceIn(const nsdisc::Snapshot& snapshot,
                                              const Target& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_SOURCE_H_
