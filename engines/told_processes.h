// Of which initial processes subscribers were told the start and the end, whichever engines told.
//
// Several engines may know one process, and one engine is another process after its restart. A
// start is told once, what others say of it later is an update; an end is told once, of the
// container that the start was told of.

#ifndef NSCTL_ENGINES_TOLD_PROCESSES_H_
#define NSCTL_ENGINES_TOLD_PROCESSES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "engines/container.h"

namespace nsctl::engines {

class ToldProcesses {
 public:
  // A PID and start time.
  using Id = std::pair<int32_t, uint64_t>;

  // Takes in a change that is not an end, of an engine that is `distance` from the user
  // (DistanceFromUser), and makes an update of a start that was told before.
  void Take(int distance, Change* change);

  // Its start was told, and its end was not.
  bool IsRunning(Id process) const { return running_.count(process) > 0; }

  // Takes in an end that is not passed on: how the process ended is told with the end that is.
  void Note(const Change& end);

  // Takes in an end; false where it was told before. Where somebody nearer to the user told the
  // start, it becomes the end of that one's container.
  bool TakeEnd(int distance, Change* end);

  // The process of a change's container. Where it has none, or it is not known which, all passes.
  static Id IdOf(const Change& change) {
    return {change.container().pid(), change.container().start_time()};
  }

 private:
  struct Told {
    int distance = 0;
    Container container;
    std::optional<Pod> pod;
    std::optional<int32_t> exit_code;
    size_t bytes = 0;
  };

  void Remember(const Change& change, Told* told);
  void Forget(std::map<Id, Told>::iterator told);

  // Those whose end was not told.
  std::map<Id, Told> running_;
  size_t bytes_ = 0;
  // Those whose end was, as far back as they are remembered, and in the order of that.
  std::set<Id> ended_;
  std::deque<Id> order_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_TOLD_PROCESSES_H_
