#include "nsdisc/process_order.h"

#include <algorithm>
#include <cstddef>

#include "absl/algorithm/container.h"

namespace nsctl::nsdisc {

ProcessOrder::ProcessOrder(const Snapshot& snapshot) {
  const auto count = static_cast<size_t>(snapshot.processes_size());
  parents_.assign(count, kNone);
  depths_.assign(count, kNone);
  top_down_.reserve(count);
  std::vector<int> way;
  for (size_t i = 0; i < count; ++i) {
    way.clear();
    int at = static_cast<int>(i);
    while (at != kNone && depths_[at] == kNone) {
      // Whatever it is: it was met.
      depths_[at] = 0;
      way.push_back(at);
      parents_[at] = PositionOf(snapshot, snapshot.processes(at).parent_pid());
      at = parents_[at];
    }
    if (at != kNone && absl::c_linear_search(way, at)) parents_[way.back()] = kNone;
    for (auto one = way.rbegin(); one != way.rend(); ++one) {
      depths_[*one] = parents_[*one] == kNone ? 0 : depths_[parents_[*one]] + 1;
      top_down_.push_back(*one);
    }
  }
}

bool ProcessOrder::Descends(int position, int from) const {
  while (position != kNone && position != from) position = parents_[position];
  return position == from;
}

int PositionOf(const Snapshot& snapshot, int32_t pid) {
  const auto& processes = snapshot.processes();
  const auto found = std::lower_bound(
      processes.begin(), processes.end(), pid,
      [](const Process& process, int32_t wanted) { return process.pid() < wanted; });
  if (found == processes.end() || found->pid() != pid) return ProcessOrder::kNone;
  return static_cast<int>(found - processes.begin());
}

int PositionOf(const Snapshot& snapshot, int32_t pid, uint64_t start_time) {
  const int position = PositionOf(snapshot, pid);
  const bool is_it = position != ProcessOrder::kNone && start_time != 0 &&
                     snapshot.processes(position).start_time() == start_time;
  return is_it ? position : ProcessOrder::kNone;
}

}  // namespace nsctl::nsdisc
