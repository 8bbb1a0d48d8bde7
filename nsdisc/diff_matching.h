// Finds the elements of two snapshots that are the same.

#ifndef NSCTL_NSDISC_DIFF_MATCHING_H_
#define NSCTL_NSDISC_DIFF_MATCHING_H_

#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "nsdisc/diff_rules.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// The elements of one side that the other lacks, and pairs of the others.
template <typename Element>
struct Matching {
  std::vector<const Element*> removed;
  std::vector<const Element*> added;
  std::vector<std::pair<const Element*, const Element*>> pairs;
};

// Whether Process.pid means the same in both, as far as is known.
bool HaveSamePidNamespace(const DiffSide& before, const DiffSide& after);

// By the inode of the pidfd; where not both have one by PID and start time, if these mean the same
// in both.
Matching<Process> MatchProcesses(const DiffSide& before, const DiffSide& after);

// Namespaces of these types, by kernel id; where not both have one by inode.
Matching<Namespace> MatchNamespaces(const DiffSide& before, const DiffSide& after,
                                    absl::Span<const base::NamespaceType> types);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_MATCHING_H_
