// Which monitors of LXC's are one engine, and the engines that they are.

#ifndef NSCTL_ENGINES_LXC_LXC_ENGINES_H_
#define NSCTL_ENGINES_LXC_LXC_ENGINES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/engine_finder.h"
#include "engines/engine_watcher.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {

struct EnginesOptions {
  WatcherOptions watcher;
  // As in ClientOptions.
  std::function<void()> look_for_monitors = nullptr;
  absl::Duration interval = absl::Seconds(5);
  // Engines at a time; and of those in one PID namespace other than the caller's.
  size_t max_engines = 64;
  size_t max_engines_inside = 8;
};

// For one thread at a time.
class LxcEngines {
 public:
  // `procfs` and `hub` must outlive this object and what it makes.
  LxcEngines(const procfsroot::Procfs& procfs, ContainerHub* hub, EnginesOptions options);

  // Takes in `found`, all monitors that there are. Those of new places are engines, whose watchers
  // are given.
  std::vector<std::shared_ptr<EngineWatcher>> Follow(const std::vector<FoundMonitor>& found);

 private:
  using ProcessId = std::pair<int32_t, uint64_t>;

  // A place that is new, and the first of its monitors.
  struct New {
    std::shared_ptr<Monitors> monitors;
    std::shared_ptr<const Monitor> first;
  };

  void FollowOne(std::shared_ptr<const Monitor> monitor, std::vector<New>* places);
  bool MayFollow(const Place& place);
  std::shared_ptr<EngineWatcher> MakeWatcher(const std::shared_ptr<Monitors>& monitors,
                                             const Monitor& first) const;

  const procfsroot::Procfs& procfs_;
  ContainerHub* const hub_;
  const EnginesOptions options_;
  const uint64_t own_pid_namespace_;
  // Those that were taken in.
  std::set<ProcessId> known_;
  std::map<Place, std::weak_ptr<Monitors>> places_;
};

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_ENGINES_H_
