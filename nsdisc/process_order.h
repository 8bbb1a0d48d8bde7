// The processes of a snapshot as a forest.

#ifndef NSCTL_NSDISC_PROCESS_ORDER_H_
#define NSCTL_NSDISC_PROCESS_ORDER_H_

#include <cstdint>
#include <vector>

#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// Positions are those in Snapshot.processes. Borrows the snapshot for the constructor alone.
class ProcessOrder {
 public:
  static constexpr int kNone = -1;

  explicit ProcessOrder(const Snapshot& snapshot);

  // The parent of the process at `position`; kNone where the snapshot has it not. Processes are
  // read at different times: of those whose parents form a circle one has none here.
  int ParentOf(int position) const { return parents_[position]; }
  // How many ancestors it has.
  int DepthOf(int position) const { return depths_[position]; }
  // `position` is `from` or descends from it.
  bool Descends(int position, int from) const;

  // All positions, parents before their children.
  const std::vector<int>& TopDown() const { return top_down_; }

 private:
  std::vector<int> parents_;
  std::vector<int> depths_;
  std::vector<int> top_down_;
};

// The position of the process `pid`; kNone where there is none.
int PositionOf(const Snapshot& snapshot, int32_t pid);
// The same for the process that started then; kNone where that is unknown, or another one.
int PositionOf(const Snapshot& snapshot, int32_t pid, uint64_t start_time);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_PROCESS_ORDER_H_
