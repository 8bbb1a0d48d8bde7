// Containers in a snapshot: whose processes are theirs.

#ifndef NSCTL_NSDISC_CONTAINERS_H_
#define NSCTL_NSDISC_CONTAINERS_H_

#include "engines/container.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "google/protobuf/timestamp.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// Puts engines, containers and pods into `snapshot`, a result of Discover, in their stated orders,
// and tells of each process which container it is in (container_links.h). What engines did not
// tell, and containers that cannot be what their engine says they are, become gaps; options and
// statistics follow. Times that are none are left out.
//
// The engines may be asked before, during or after the scan: a container's process that started or
// ended in between is told by its start time, and links nothing.
void LinkContainers(const engines::Containers& containers, Snapshot* snapshot);

// The container that `process` of `snapshot` is in; nullptr where it is in none. Safe for whatever
// snapshot.
const engines::Container* ContainerOf(const Snapshot& snapshot, const Process& process);

// What engines did not tell, in that order.
void AppendGaps(const engines::Containers& containers,
                google::protobuf::RepeatedPtrField<Gap>* gaps);

// Whether `gap` of `snapshot` is about one of its engines, or a socket of one.
bool IsOfEngine(const Gap& gap, const Snapshot& snapshot);

// What protobuf can write as JSON: the years 1 to 9999.
bool IsTime(const google::protobuf::Timestamp& time);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CONTAINERS_H_
