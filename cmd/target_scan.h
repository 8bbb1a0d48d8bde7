// Takes the snapshot in which a TARGET is then looked up.

#ifndef NSCTL_CMD_TARGET_SCAN_H_
#define NSCTL_CMD_TARGET_SCAN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "cmd/environment.h"
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/target.h"
#include "nsdisc/discover.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

struct TargetScan {
  // For FindTargetIn (target_in_snapshot.h): what was asked for, or, where that was a path, the
  // namespace whose file is there.
  Target target;
  std::unique_ptr<nsdisc::Snapshot> snapshot;
};

// Acquires from `source` as SourceOptions does, engines as `scope` says, for a container with those
// that do not run; threads that left a namespace of their process among it. A path is looked at
// before, and let go, so that the scan does not find this process holding the namespace.
//
// Errors: those of Acquire and OpenNamespaceAtPath (namespace_at_path.h); DEADLINE_EXCEEDED where a
// path does not answer; FAILED_PRECONDITION for a path where `source` is not the running host.
absl::StatusOr<TargetScan> ScanForTarget(const Target& target, const SourceOptions& source,
                                         const ScanScope& scope, nsdisc::ProcessDetail detail,
                                         Environment& env);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_SCAN_H_
