// Follows one engine for as long as it lives, and publishes its containers.
//
// An actor: one thread owns the SyncState and takes in, one after another, what the stream's
// thread, the calls' threads and the kernel tell it. Nothing that waits is done in it, and nobody
// who tells it something waits for it: an engine that hangs costs its own calls their deadlines.
//
// An engine that is quiet is asked from time to time whether it is there: one that hangs ends no
// stream. While an engine does not answer, what was known stays published and its state says why.
// Attempts are repeated at growing intervals, until the engine's process ends. Of containers that
// outlive it the end is still told, as the kernel says it.

#ifndef NSCTL_ENGINES_ENGINE_WATCHER_H_
#define NSCTL_ENGINES_ENGINE_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/sync_state.h"

namespace nsctl::engines {

struct WatcherOptions {
  // `replays` is the client's.
  SyncOptions sync;
  // Containers that do not run are listed as well, once after each connection.
  bool stopped = false;
  // Deadlines of what the engine is asked.
  absl::Duration call_timeout = absl::Seconds(5);
  absl::Duration list_timeout = absl::Seconds(30);
  // An engine that was not heard of for so long is asked whether it is there.
  absl::Duration quiet_time = absl::Seconds(10);
  // At a time.
  int max_calls = 16;
  // A longer list is refused.
  size_t max_containers = 100'000;
  // Events that wait; what is beyond is lost, and the engine's containers are listed.
  size_t max_events = 8192;
  // The first, and the longest, time between two attempts; each is up to twice the one before.
  absl::Duration min_backoff = absl::Milliseconds(200);
  absl::Duration max_backoff = absl::Seconds(30);
  // An attempt that held so long was a good one: the next wait is the shortest again.
  absl::Duration healthy_after = absl::Minutes(1);
  // Called with what is about to be published. Null: nobody is.
  std::function<void(const std::vector<Change>&)> before_publish;
  // In [0, 1): attempts of many watchers are spread.
  std::function<double()> random;
  // Real time; deadlines of calls are measured by it in any case.
  std::function<absl::Time()> clock = absl::Now;
};

class EngineWatcher {
 public:
  // Begins at once. `engine` has its key, type and PID; `process` is the engine's own, null where
  // it is not known. `hub` must outlive the watcher.
  EngineWatcher(Engine engine, std::unique_ptr<EngineClient> client,
                std::unique_ptr<ProcessFinder> finder,
                std::shared_ptr<const ContainerProcess> process, ContainerHub* hub,
                WatcherOptions options);
  EngineWatcher(const EngineWatcher&) = delete;
  EngineWatcher& operator=(const EngineWatcher&) = delete;
  // Ends its calls and threads. What it published stays.
  ~EngineWatcher();

  // Waits until the engine's containers are known, or why they are not: false where neither came in
  // time.
  bool AwaitFirstResult(absl::Time deadline) const;

  // The engine's process ended, and nothing more will come: its containers ended too, or others
  // tell of those that run on.
  bool gone() const;

 private:
  class Actor;

  std::unique_ptr<Actor> actor_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_WATCHER_H_
