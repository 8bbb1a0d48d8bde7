// What the files of a member process tell of its namespaces: uid and gid maps, clock offsets.

#ifndef NSCTL_NSDISC_NAMESPACE_DETAILS_H_
#define NSCTL_NSDISC_NAMESPACE_DETAILS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/process.pb.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// user_namespaces(7): one mapping per line, as uid_map and gid_map hold them. INVALID_ARGUMENT,
// naming the line, for anything else; mappings before it were added.
absl::Status ParseIdMap(absl::string_view text, google::protobuf::RepeatedPtrField<IdMapping>* map);

// time_namespaces(7): one "clock seconds nanoseconds" per line, as timens_offsets holds them.
absl::Status ParseClockOffsets(absl::string_view text,
                               google::protobuf::RepeatedPtrField<ClockOffset>* offsets);

// Adds to `ns`, a user or time namespace, what its member `process` shows: maps and setgroups, or
// clock offsets. Does nothing for other types. The maps are as this program's user namespace sees
// them. What is refused becomes a gap; a process that is gone does not.
void AddNamespaceDetails(const procfsroot::Procfs& procfs, const Process& process, Namespace* ns,
                         GapList* gaps);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_DETAILS_H_
