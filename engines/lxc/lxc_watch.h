// Hears of what happens to the containers of one place.
//
// The kernel tells of monitors that end. Of all else nobody tells without harm: who waits for a
// state at a monitor and goes away before it comes stays in its list, and what is meant for him
// reaches whoever gets the number of his descriptor next, such as `lxc-stop`, which then fails
// (liblxc 5.0). But LXC locks a file for whatever it does to a container, so monitors are asked
// soon after that, and otherwise now and then.

#ifndef NSCTL_ENGINES_LXC_LXC_WATCH_H_
#define NSCTL_ENGINES_LXC_LXC_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
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
  // Between two looks at what is not heard of.
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
  struct Watched {
    std::shared_ptr<const Monitor> monitor;
    // Whether it was asked since it was found; and what it said, nothing where it did not answer.
    bool asked = false;
    std::optional<Monitor::Now> now = std::nullopt;
  };

  void FindLocks();
  // Takes in who came and went, and tells of these. False where all went.
  bool TakeMonitors(Sink sink);
  // Asks all, or only those that never were, and tells of those that changed.
  void Ask(bool all, const StopSignal* stop, Sink sink);
  // Waits until something happens.
  absl::Status Wait(const StopSignal* stop);

  const procfsroot::Procfs& procfs_;
  const std::shared_ptr<Monitors> monitors_;
  const WatchOptions options_;
  // By PID and start time.
  std::map<std::pair<int32_t, uint64_t>, Watched> watched_;
  std::optional<FolderWatch> locks_;
  Settling settling_;
  absl::Time next_look_ = absl::InfinitePast();
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_WATCH_H_
