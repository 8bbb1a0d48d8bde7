// Snapshots in files: reading what a stranger wrote, and checking it before anything relies on it.

#ifndef NSCTL_NSDISC_SNAPSHOT_IO_H_
#define NSCTL_NSDISC_SNAPSHOT_IO_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

inline constexpr char kSnapshotFormat[] = "nsctl.snapshot.v1";

// A snapshot file may be this large, which is protobuf's own limit; larger ones are refused.
inline constexpr size_t kMaxSnapshotBytes = (size_t{2} << 30) - 1;

// Parses a snapshot in any of the encodings that nsctl writes and checks it with CheckSnapshot. The
// encoding is told by the first bytes:
//   pb: the binary message, its field `format` first;
//   delimited: binary messages, each a piece of the snapshot after its length as a varint;
//   json, jsonl: one object, or several of which each is a piece;
//   textproto: field names from `format` on, after comments.
// Pieces are merged in their order, as protobuf merges messages. What a newer schema adds is passed
// over; text is checked to be stored text (base/text.h), so that nothing that is not UTF-8 reaches
// protobuf's serialisers. `name` is what messages call the source. Prints nothing, whatever `bytes`
// are. Errors, all INVALID_ARGUMENT and one line, "NAME: ...": empty, not a snapshot, cut short, or
// inconsistent.
// A hostile file can take memory of up to about 100 times its size: an empty process is two bytes.
absl::StatusOr<std::unique_ptr<Snapshot>> ParseSnapshot(absl::string_view bytes,
                                                        absl::string_view name);

// Reads `fd` to its end and parses it; messages call it by its path. Errors: also those of read(2),
// and RESOURCE_EXHAUSTED past kMaxSnapshotBytes. Frees a JSON text before the message is built.
absl::StatusOr<std::unique_ptr<Snapshot>> ReadSnapshot(base::FdRef fd);

// What every user of a snapshot may rely on: the format is ours and complete, taken_at is a time,
// counts agree with the statistics; namespaces, processes and threads, and the PIDs and inodes that
// namespaces list, are in their order without duplicates; holders are in their order and no more
// than their counts; parents and children of namespaces name each other, and chains of parents,
// those of processes too, end (those of namespaces after at most 64); user namespaces have no
// owner; engines, containers and pods are in their order and their times are times; indices of
// cgroups and containers exist. Namespaces of types that are not known come last and are not looked
// at. INVALID_ARGUMENT with the first fault.
absl::Status CheckSnapshot(const Snapshot& snapshot);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_SNAPSHOT_IO_H_
