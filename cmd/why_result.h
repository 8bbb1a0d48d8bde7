// From a snapshot to what `nsctl why` answers.

#ifndef NSCTL_CMD_WHY_RESULT_H_
#define NSCTL_CMD_WHY_RESULT_H_

#include "absl/types/span.h"
#include "cmd/why.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

struct WhyRequest {
  // Every process of a namespace, not only its leaders.
  bool all_processes = false;
};

// What holds `targets`, namespaces of the index's snapshot, and what holds those that hold them:
// each namespace once, in time linear in what is told.
WhyAlive BuildWhy(const nsdisc::SnapshotIndex& index,
                  absl::Span<const nsdisc::Namespace* const> targets, const WhyRequest& request);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WHY_RESULT_H_
