// Containers that live shorter than it takes to look at them: their engine's events tell of a start
// and an end, and nobody saw their process. They are told as both, without a PID.
//
// Events may come twice, and from before: a life that was told, in whatever way, is not told again.
// Those of engines that date no events are left out, as such would be told twice.

#ifndef NSCTL_ENGINES_SHORT_LIVES_H_
#define NSCTL_ENGINES_SHORT_LIVES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"

namespace nsctl::engines {

class ShortLives {
 public:
  // What began before the first of these is no news.
  void BeginAt(absl::Time now);

  // A start of a container whose process was not told. Nothing where one is there already.
  void Start(const EngineEvent& event);
  // An end. Nothing where no start was heard of.
  void End(const EngineEvent& event);

  // A start was heard of, and not told.
  bool Has(const ContainerId& id) const { return lives_.count(id) > 0; }
  // When that was; in the future for ever where none was.
  absl::Time StartOf(const ContainerId& id) const;
  // And its end.
  bool HasEnded(const ContainerId& id) const;

  // All that happened to the container before `time` was told otherwise.
  void SetTold(const ContainerId& id, absl::Time time);
  void Forget(const ContainerId& id) { lives_.erase(id); }
  void ForgetAll() { lives_.clear(); }

  // Tells the start and the end; `row` is the container as its engine showed it, null where that
  // did not.
  void Tell(const ContainerId& id, const EngineRow* row, absl::Time now,
            std::vector<Change>* changes);

 private:
  struct Life {
    EngineEvent start;
    std::optional<EngineEvent> end;
  };

  std::map<ContainerId, Life> lives_;
  std::map<ContainerId, absl::Time> told_until_;
  absl::Time floor_ = absl::InfiniteFuture();
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_SHORT_LIVES_H_
