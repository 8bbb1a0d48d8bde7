// An engine inside of a test: containers that the test starts and ends, told by an EngineClient
// that hangs, fails, repeats and forgets as the test says.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_FAKE_ENGINE_H_
#define NSCTL_ENGINES_FAKE_ENGINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/fake_process.h"

namespace nsctl::engines {

class FakeEngine {
 public:
  // What goes wrong, until it is changed.
  struct Faults {
    absl::Status identify = absl::OkStatus();
    absl::Status list = absl::OkStatus();
    absl::Status inspect = absl::OkStatus();
    // These calls wait for their deadline or to be stopped.
    bool identify_hangs = false;
    bool list_hangs = false;
    bool inspect_hangs = false;
    // Streams tell nothing.
    bool mute = false;
    // Lists have no PIDs.
    bool partial_lists = false;
  };

  FakeEngine();

  void SetFaults(const Faults& faults) ABSL_LOCKS_EXCLUDED(mutex_);
  // Called in the middle of each list: what is listed was read, and not yet given away.
  void OnList(std::function<void()> hook) ABSL_LOCKS_EXCLUDED(mutex_);

  std::shared_ptr<FakeProcess> Start(const std::string& id) ABSL_LOCKS_EXCLUDED(mutex_);
  void Die(const std::string& id, int32_t exit_code) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetPaused(const std::string& id, bool paused) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the event, whatever is true, `times` times.
  void Tell(const EngineEvent& event, int times = 1) ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStreams() ABSL_LOCKS_EXCLUDED(mutex_);

  int streams() const ABSL_LOCKS_EXCLUDED(mutex_);
  int attempts() const ABSL_LOCKS_EXCLUDED(mutex_);
  int lists() const ABSL_LOCKS_EXCLUDED(mutex_);
  int inspections() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The most inspections that ran at one time.
  int most_inspections() const ABSL_LOCKS_EXCLUDED(mutex_);
  // A real-time watcher of this engine waits so long before it answers an inspection.
  void SetLatency(absl::Duration latency) ABSL_LOCKS_EXCLUDED(mutex_);

  // Must not outlive the engine.
  std::unique_ptr<EngineClient> MakeClient();
  std::unique_ptr<ProcessFinder> MakeFinder();

 private:
  class Client;

  struct Known {
    Container::State state = Container::running;
    std::shared_ptr<FakeProcess> process;
    int32_t exit_code = 0;
  };
  struct StreamQueue {
    std::vector<EngineEvent> events;
    bool ended = false;
  };

  EngineRow RowOf(const std::string& id) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void TellLocked(const EngineEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  FakeProcesses processes_;
  mutable absl::Mutex mutex_;
  Faults faults_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_list_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<StreamQueue>> streams_ ABSL_GUARDED_BY(mutex_);
  absl::Duration latency_ ABSL_GUARDED_BY(mutex_);
  int attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  int lists_ ABSL_GUARDED_BY(mutex_) = 0;
  int inspections_ ABSL_GUARDED_BY(mutex_) = 0;
  int inspecting_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_inspections_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_ENGINE_H_
