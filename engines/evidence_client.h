// Shows what is known by evidence as if an engine told it, so that it is followed like everything
// else.

#ifndef NSCTL_ENGINES_EVIDENCE_CLIENT_H_
#define NSCTL_ENGINES_EVIDENCE_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/evidence.h"
#include "engines/process_table.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

struct EvidenceOptions {
  // Between two looks.
  absl::Duration interval = absl::Seconds(5);
  // Processes that are younger are left to the engines, which tell more; but for the first look.
  absl::Duration grace = absl::Seconds(2);
  // What was read of processes so recently is not read again.
  absl::Duration max_age = absl::ZeroDuration();
  // PIDs and start times of the initial processes that engines tell of.
  std::function<std::set<std::pair<int32_t, uint64_t>>()> known;
  // Returns when engines had time to tell what they know, or `stop` is requested; called before
  // the first list.
  std::function<void(const StopSignal* stop)> await_engines;
  std::function<void(std::vector<EngineGap>)> set_gaps;
};

// What it once told it goes on to tell until the process ends, even where an engine tells it by
// then.
class EvidenceClient : public EngineClient {
 public:
  EvidenceClient(Evidence evidence, EvidenceOptions options)
      : options_(std::move(options)), evidence_(std::move(evidence)) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  // An event that asks for a list each time that something is new.
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  bool replays() const override { return true; }

 private:
  using ProcessId = std::pair<int32_t, uint64_t>;

  // What is to be told now.
  absl::StatusOr<std::vector<EngineRow>> Look() ABSL_LOCKS_EXCLUDED(mutex_);

  const EvidenceOptions options_;
  absl::Mutex mutex_;
  Evidence evidence_ ABSL_GUARDED_BY(mutex_);
  bool listed_once_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<ProcessId> told_ ABSL_GUARDED_BY(mutex_);
  // As of the last list.
  std::string listed_ ABSL_GUARDED_BY(mutex_);
};

// Finds processes by the observer's own number, which evidence has: those that the table knows.
class ObserverProcesses : public ProcessFinder {
 public:
  // Both must outlive this object.
  ObserverProcesses(const procfsroot::Procfs& procfs, ProcessTable* table)
      : procfs_(procfs), table_(table) {}

  // Errors: NOT_FOUND where it ended, also where another process has its number by now.
  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override;

 private:
  const procfsroot::Procfs& procfs_;
  ProcessTable* const table_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_EVIDENCE_CLIENT_H_
