// Compares two snapshots.
//
// Namespaces are the same where their kernel ids are, else where type and inode are; processes
// where the inodes of their pidfds are, else where PID and start time are. All of that holds within
// one boot of the kernel. What one side could not see is neither added nor removed but unknown.
//
// All fields of the schema are compared, those of a newer one too, but for identities, for what
// follows from other changes (kImpliedFields in diff_rules.cc; diff_holders.h), and for lists that
// only say where something is. Sections that this program does not know are compared element by
// element.

#ifndef NSCTL_NSDISC_DIFF_H_
#define NSCTL_NSDISC_DIFF_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsdisc/diff.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

struct DiffOptions {
  // Only namespaces of these types, and of processes only which of these they are in; empty: all.
  std::vector<base::NamespaceType> types = {};
  // Fields that are not compared: "processes", "processes.name", "name" in any section. A field's
  // name stands for what is below it as well.
  std::vector<std::string> ignored = {};
  // Compare also what follows from other changes, kernel threads, and the processes that took the
  // snapshots.
  bool all = false;
};

// Errors: FAILED_PRECONDITION where the snapshots are of different boots: their identities do not
// compare.
absl::StatusOr<SnapshotDiff> DiffSnapshots(const Snapshot& before, const Snapshot& after,
                                           const DiffOptions& options);

// The words that DiffOptions::ignored may have, sections first.
std::vector<std::string> ComparedFields();

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_H_
