// A snapshot in a few lines for people.

#ifndef NSCTL_CMD_SNAPSHOT_SUMMARY_H_
#define NSCTL_CMD_SNAPSHOT_SUMMARY_H_

#include "cmd/presentation.h"
#include "cmd/writer.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// The host, then how many namespaces of each type, processes, threads and gaps there are.
void PrintSnapshotSummary(const nsdisc::Snapshot& snapshot, const Presentation& presentation,
                          Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SNAPSHOT_SUMMARY_H_
