#include "engines/portfolio.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/worker_pool.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/container_process.h"
#include "engines/engine_door.h"
#include "engines/engine_finder.h"
#include "engines/engine_types.h"
#include "engines/engine_watcher.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// Of the gaps that are no engine's.
constexpr char kFinderKey[] = "";

// Stands for a finder that could not be made: nothing that the engine says of processes is
// believed.
class NoProcesses : public ProcessFinder {
 public:
  explicit NoProcesses(absl::Status why) : why_(std::move(why)) {}

  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t /*engine_pid*/) override {
    return why_;
  }

 private:
  const absl::Status why_;
};

}  // namespace

class Portfolio::Impl {
 public:
  Impl(const procfsroot::Procfs& procfs, PortfolioOptions options)
      : procfs_(procfs), options_(std::move(options)), finder_(procfs, {.types = options_.types}) {}
  ~Impl();

  absl::Status Start();
  bool AwaitFirstResults(absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mutex_);
  Containers Current() const { return hub_.Current(); }
  ContainerHub& hub() { return hub_; }

 private:
  using Watchers = std::vector<std::shared_ptr<EngineWatcher>>;

  absl::Status Look() ABSL_LOCKS_EXCLUDED(mutex_);
  void Follow(const FoundEngine& found) ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetEngines() ABSL_LOCKS_EXCLUDED(mutex_);
  void LookAgain();

  const procfsroot::Procfs& procfs_;
  const PortfolioOptions options_;
  ContainerHub hub_;
  // The first look's caller, then the thread.
  EngineFinder finder_;
  mutable absl::Mutex mutex_;
  Watchers watchers_ ABSL_GUARDED_BY(mutex_);
  // Those of the first look.
  Watchers first_ ABSL_GUARDED_BY(mutex_);
  StopSignal stop_;
  std::thread thread_;
};

Portfolio::Impl::~Impl() {
  stop_.Request();
  if (thread_.joinable()) thread_.join();
  hub_.Close();
  Watchers watchers;
  {
    const absl::MutexLock lock(&mutex_);
    watchers.swap(watchers_);
    first_.clear();
  }
  // Each may wait for a call into a file system that does not answer.
  base::ParallelFor(watchers.size(), 1, base::DefaultThreadCount(),
                    [&watchers](size_t begin, size_t end, int /*worker*/) {
                      for (size_t i = begin; i < end; ++i) watchers[i].reset();
                    });
}

absl::Status Portfolio::Impl::Start() {
  NSCTL_RETURN_IF_ERROR(Look());
  {
    const absl::MutexLock lock(&mutex_);
    first_ = watchers_;
  }
  if (options_.look_again != absl::InfiniteDuration()) {
    thread_ = std::thread([this] { LookAgain(); });
  }
  return absl::OkStatus();
}

absl::Status Portfolio::Impl::Look() {
  NSCTL_ASSIGN_OR_RETURN(EngineFinder::Result found, finder_.Look());
  for (const FoundEngine& engine : found.engines) Follow(engine);
  hub_.SetGaps(kFinderKey, std::move(found.gaps));
  return absl::OkStatus();
}

void Portfolio::Impl::Follow(const FoundEngine& found) {
  const base::Pid pid = found.process.pid;
  absl::StatusOr<std::shared_ptr<const ContainerProcess>> process = HoldProcess(procfs_, pid);
  // It ended meanwhile.
  if (!process.ok() || (*process)->start_time() != found.process.start_time) return;
  absl::StatusOr<std::unique_ptr<ProcessFinder>> finder = FindProcessesOf(procfs_, pid);
  if (!finder.ok()) finder = std::make_unique<NoProcesses>(finder.status());
  Engine engine;
  engine.set_type(found.kinds.front()->type);
  engine.set_pid(pid.value);
  engine.set_start_time(found.process.start_time);
  engine.set_key(absl::StrCat(TypeName(engine.type()), ":", pid.value, "@", engine.start_time()));
  auto watcher = std::make_shared<EngineWatcher>(
      engine, std::make_unique<EngineDoor>(procfs_, *process, found.kinds, EngineKinds()),
      *std::move(finder), *process, &hub_, options_.watcher);
  const absl::MutexLock lock(&mutex_);
  watchers_.push_back(std::move(watcher));
}

void Portfolio::Impl::ForgetEngines() {
  // Ended outside of the lock.
  Watchers gone;
  const absl::MutexLock lock(&mutex_);
  const auto end = std::stable_partition(watchers_.begin(), watchers_.end(),
                                         [](const auto& watcher) { return !watcher->gone(); });
  gone.assign(std::make_move_iterator(end), std::make_move_iterator(watchers_.end()));
  watchers_.erase(end, watchers_.end());
  first_.erase(std::remove_if(first_.begin(), first_.end(),
                              [](const auto& watcher) { return watcher->gone(); }),
               first_.end());
}

void Portfolio::Impl::LookAgain() {
  while (true) {
    const absl::Time next = absl::Now() + options_.look_again;
    while (!stop_.requested() && absl::Now() < next) AwaitTime(next, stop_);
    if (stop_.requested()) return;
    ForgetEngines();
    // Nothing new where processes cannot be listed.
    (void)Look();
  }
}

bool Portfolio::Impl::AwaitFirstResults(absl::Time deadline) const {
  Watchers awaited;
  {
    const absl::MutexLock lock(&mutex_);
    awaited = first_;
  }
  bool all = true;
  for (const auto& watcher : awaited) all = watcher->AwaitFirstResult(deadline) && all;
  return all;
}

Portfolio::Portfolio(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Portfolio::~Portfolio() = default;

absl::StatusOr<std::unique_ptr<Portfolio>> Portfolio::Start(const procfsroot::Procfs& procfs,
                                                            PortfolioOptions options) {
  auto impl = std::make_unique<Impl>(procfs, std::move(options));
  NSCTL_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Portfolio>(new Portfolio(std::move(impl)));
}

bool Portfolio::AwaitFirstResults(absl::Time deadline) const {
  return impl_->AwaitFirstResults(deadline);
}

Containers Portfolio::Current() const { return impl_->Current(); }

std::unique_ptr<ContainerHub::Subscription> Portfolio::Subscribe(size_t max_queued) {
  return impl_->hub().Subscribe(max_queued);
}

}  // namespace nsctl::engines
