// A snapshot in pieces, for streams.

#ifndef NSCTL_CMD_SNAPSHOT_PIECES_H_
#define NSCTL_CMD_SNAPSHOT_PIECES_H_

#include "cmd/message_output.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Hands `sink` Snapshot messages that, merged in their order, are `snapshot`: first all that stands
// once, the cgroups, engines and pods, then one namespace, one container, one process, the mounts
// of one mount namespace or one gap each, last the mark that it is complete.
void ForEachSnapshotPiece(const nsdisc::Snapshot& snapshot, RecordSink sink);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SNAPSHOT_PIECES_H_
