// Which cgroups are containers' own.

#ifndef NSCTL_NSDISC_CONTAINER_CGROUPS_H_
#define NSCTL_NSDISC_CONTAINER_CGROUPS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nsdisc/process_order.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// Borrows the snapshot and the order.
class ContainerCgroups {
 public:
  struct Container {
    // A number of the caller's.
    int number;
    // The position of its initial process.
    int init;
  };

  ContainerCgroups(const Snapshot& snapshot, const ProcessOrder& order)
      : snapshot_(snapshot), order_(order) {}

  // A cgroup is a container's own where its initial process is in it, and in it and below it are
  // neither an ancestor of that, nor one of `engines` (positions), nor another container's initial
  // process, unless they descend from it. The root and cgroups out of sight ("/..") are nobody's.
  void Find(absl::Span<const Container> containers, absl::Span<const int> engines);

  // The numbers of the containers whose own cgroup the process at `position` is in, or is below of.
  const std::vector<int>& Around(int position);

 private:
  // A hierarchy by its controllers, empty for the unified one, and a path in it.
  using Place = std::pair<absl::string_view, absl::string_view>;

  std::vector<Place> PlacesAt(int position) const;
  bool IsIn(int position, const Place& place) const;
  bool IsOwn(const Place& place, int init, absl::Span<const int> engines) const;
  void DropShared(const Container& container);

  const Snapshot& snapshot_;
  const ProcessOrder& order_;
  absl::flat_hash_map<Place, Container> owners_;
  // By index of cgroups; made where needed.
  absl::flat_hash_map<uint32_t, std::vector<int>> around_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_CONTAINER_CGROUPS_H_
