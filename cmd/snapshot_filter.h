// Narrows a snapshot that was taken before to what is asked for now.

#ifndef NSCTL_CMD_SNAPSHOT_FILTER_H_
#define NSCTL_CMD_SNAPSHOT_FILTER_H_

#include <string>
#include <vector>

#include "base/namespace_type.h"
#include "cmd/scan_options.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Keeps the namespaces of `types`, at least one; options and statistics follow. Processes keep the
// numbers of all their namespaces.
void KeepTypes(const std::vector<base::NamespaceType>& types, nsdisc::Snapshot* snapshot);

// Keeps what a scan for `threads` would have given of the threads; options and statistics follow.
// Does nothing where fewer were looked for.
void KeepThreads(nsdisc::ScanOptions::Threads threads, nsdisc::Snapshot* snapshot);

// The words for KeepSections: the lists of Snapshot that can be left out.
inline constexpr const char* kSnapshotSections[] = {"namespaces", "processes", "mounts",
                                                    "containers"};

// Keeps those lists of kSnapshotSections that `names` has, cgroups with processes, engines and pods
// with containers; options and statistics follow.
void KeepSections(const std::vector<std::string>& names, nsdisc::Snapshot* snapshot);

// Adds the gap of a scan of `directory`, bytes, that shows no running kernel.
void AddRecordedTree(const std::string& directory, nsdisc::Snapshot* snapshot);

// Adds a gap of the host for all that `scope` asks for and that the snapshot was taken without,
// and for the lists that were left out of it.
void AddUnrecorded(const ScanScope& scope, nsdisc::Snapshot* snapshot);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SNAPSHOT_FILTER_H_
