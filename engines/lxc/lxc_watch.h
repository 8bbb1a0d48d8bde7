// Hears of what happens to the containers of one place.
//
// Each monitor tells once of the state that comes next, so each is asked again after every answer.
// Nobody tells of new monitors; but LXC locks a file for whatever it does to a container, so there
// may be one soon after that.

#ifndef NSCTL_ENGINES_LXC_LXC_WATCH_H_
#define NSCTL_ENGINES_LXC_LXC_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/engine_client.h"
#include "engines/folder_watch.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {

struct WatchOptions {
  // What all monitors together may take where they are asked at once.
  absl::Duration share = absl::Seconds(1);
  // Between two looks at monitors that could not be asked.
  absl::Duration interval = absl::Seconds(5);
  // May be null.
  std::function<void()> look_for_monitors = nullptr;
};

// When to look again after something that shows only a little later: soon, and less and less often.
class Settling {
 public:
  // What comes while it runs lets it begin anew at its end.
  void Start(absl::Time now);
  // The next look; in the infinite future where there is none to come.
  absl::Time next() const { return next_; }
  // Whether it is time, which counts as done then.
  bool IsDue(absl::Time now);

 private:
  size_t step_ = 0;
  bool again_ = false;
  absl::Time next_ = absl::InfiniteFuture();
};

// For one thread.
class MonitorWatch {
 public:
  using Sink = absl::FunctionRef<void(const EngineEvent&)>;

  // `procfs` must outlive this object.
  MonitorWatch(const procfsroot::Procfs& procfs, std::shared_ptr<Monitors> monitors,
               WatchOptions options)
      : procfs_(procfs), monitors_(std::move(monitors)), options_(std::move(options)) {}

  // As EngineClient::Watch. UNAVAILABLE once all monitors ended.
  absl::Status Run(const CallLimits& limits, absl::FunctionRef<void()> subscribed, Sink sink);

 private:
  struct Awaited {
    std::shared_ptr<const Monitor> monitor;
    // Empty where its next state is not awaited.
    std::optional<base::OwnedFd> socket = std::nullopt;
    // When to ask it; and how often that was done since a time: one may tell without end.
    absl::Time due = absl::InfinitePast();
    int turns = 0;
    absl::Time turns_since = absl::InfinitePast();
  };
  // By PID and start time.
  using AllAwaited = std::map<std::pair<int32_t, uint64_t>, Awaited>;

  void FindLocks();
  // Takes in who came and went, and tells of these.
  bool TakeMonitors(Sink sink);
  // Asks those that are due, and tells that they may have changed.
  void AskDue(const StopSignal* stop, Sink sink);
  static absl::Time DueAfterTurn(Awaited* awaited, absl::Time now);
  // Waits until something happens.
  absl::Status Wait(const StopSignal* stop, Sink sink);
  void TakeState(Awaited* awaited, Sink sink);

  const procfsroot::Procfs& procfs_;
  const std::shared_ptr<Monitors> monitors_;
  const WatchOptions options_;
  AllAwaited awaited_;
  std::optional<FolderWatch> locks_;
  Settling settling_;
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_WATCH_H_
