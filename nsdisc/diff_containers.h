// The containers of two snapshots compared.

#ifndef NSCTL_NSDISC_DIFF_CONTAINERS_H_
#define NSCTL_NSDISC_DIFF_CONTAINERS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "nsdisc/diff.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// Why `snapshot` may lack containers, engines and pods that were there; empty where it does not.
std::string WhyContainersAreUnseen(const Snapshot& snapshot);

// By the type of the engine, its own namespace and the id: an engine may have been restarted. In
// the order of the containers of `after`, those that only `before` has first. `ignored` says which
// fields are not compared. What only one side has is unknown where the other may lack it.
std::vector<Change> DiffContainers(const Snapshot& before, const Snapshot& after,
                                   absl::FunctionRef<bool(absl::string_view)> ignored);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DIFF_CONTAINERS_H_
