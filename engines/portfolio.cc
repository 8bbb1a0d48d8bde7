#include "engines/portfolio.h"

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "engines/bounded_client.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/container_process.h"
#include "engines/engine_activation.h"
#include "engines/engine_door.h"
#include "engines/engine_finder.h"
#include "engines/engine_nesting.h"
#include "engines/engine_rights.h"
#include "engines/engine_types.h"
#include "engines/engine_watcher.h"
#include "engines/evidence.h"
#include "engines/evidence_client.h"
#include "engines/freezer.h"
#include "engines/lxc/lxc_engines.h"
#include "engines/process_table.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// Of the gaps that are no engine's.
constexpr char kFinderKey[] = "";
constexpr char kEvidenceGapsKey[] = "evidence gaps";
constexpr char kEvidenceKey[] = "evidence";
// What the first evidence waits for engines that do not answer: containers that these tell of
// would be shown as known by evidence alone.
constexpr absl::Duration kEngineGrace = absl::Seconds(1);
// What was read of processes so recently is not read again: more than the grace, so that the first
// evidence is what engines were looked for among.
constexpr absl::Duration kMaxAge = absl::Seconds(2);

// What a foreign engine may tell of one container, and of all; and what all such engines may.
constexpr size_t kForeignRowBytes = 256 << 10;
constexpr size_t kForeignBytes = 16 << 20;
constexpr size_t kAllForeignBytes = 64 << 20;

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

// Of processes that are known by evidence alone and are in a container.
ContainerHub::Places PlacesOf(const Containers& containers) {
  std::map<std::string, const Engine*> engines;
  for (const Engine& engine : containers.engines()) {
    if (engine.type() == Engine::evidence && !engine.parent_container().empty()) {
      engines[engine.key()] = &engine;
    }
  }
  ContainerHub::Places places;
  for (const Container& container : containers.containers()) {
    const auto engine = engines.find(container.engine());
    if (engine == engines.end()) continue;
    places[{container.pid(), container.start_time()}] = *engine->second;
  }
  return places;
}

}  // namespace

class Portfolio::Impl {
 public:
  Impl(const procfsroot::Procfs& procfs, PortfolioOptions options)
      : procfs_(procfs),
        options_(std::move(options)),
        table_(procfs),
        finder_(procfs, {.types = options_.types}),
        lxc_(procfs, &hub_,
             {.watcher = options_.watcher, .look_for_monitors = [this] { LookSoon(); }}),
        activation_(procfs, EngineKinds(), options_.types),
        nesting_(procfs) {}
  ~Impl();

  absl::Status Start();
  bool AwaitFirstResults(absl::Time deadline, const std::function<bool()>& enough) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  Containers Current() ABSL_LOCKS_EXCLUDED(nesting_mutex_);
  ContainerHub& hub() { return hub_; }

 private:
  using Watchers = std::vector<std::shared_ptr<EngineWatcher>>;

  absl::Status Look() ABSL_LOCKS_EXCLUDED(mutex_);
  void LookForMonitors() ABSL_LOCKS_EXCLUDED(mutex_);
  // Has the thread look for monitors at once.
  void LookSoon() ABSL_LOCKS_EXCLUDED(look_mutex_);
  // Waits for the time, or until it is to look at once: true.
  bool AwaitLook(absl::Time time) ABSL_LOCKS_EXCLUDED(look_mutex_);
  void Follow(const FoundEngine& found) ABSL_LOCKS_EXCLUDED(mutex_);
  void FollowAll(const EngineFinder::Result& found) ABSL_LOCKS_EXCLUDED(mutex_);
  void FollowEvidence();
  // Has changes of evidence told of the engines that Current() has for its containers.
  void PlaceEvidence(const std::vector<Change>& changes) ABSL_LOCKS_EXCLUDED(nesting_mutex_);
  absl::Duration MaxAge() const { return std::min(kMaxAge, options_.look_again / 2); }
  std::set<std::pair<int32_t, uint64_t>> KnownProcesses() const;
  void AwaitEngines(const StopSignal* stop) const ABSL_LOCKS_EXCLUDED(mutex_);
  // False where none is gone.
  bool ForgetEngines() ABSL_LOCKS_EXCLUDED(mutex_);
  void LookAgain();

  const procfsroot::Procfs& procfs_;
  PortfolioOptions options_;
  ProcessTable table_;
  ContainerHub hub_;
  // The first look's caller, then the thread.
  EngineFinder finder_;
  lxc::LxcEngines lxc_;
  EngineActivation activation_;
  // Of engines that are not the host's own.
  const std::shared_ptr<ByteBudget> foreign_bytes_ = std::make_shared<ByteBudget>(kAllForeignBytes);
  absl::Mutex nesting_mutex_;
  EngineNesting nesting_ ABSL_GUARDED_BY(nesting_mutex_);
  mutable absl::Mutex mutex_;
  Watchers watchers_ ABSL_GUARDED_BY(mutex_);
  // Those of the first look.
  Watchers first_ ABSL_GUARDED_BY(mutex_);
  // Its threads use all the rest. Null without evidence.
  std::unique_ptr<EngineWatcher> evidence_;
  StopSignal stop_;
  absl::Mutex look_mutex_;
  bool look_soon_ ABSL_GUARDED_BY(look_mutex_) = false;
  std::thread thread_;
};

Portfolio::Impl::~Impl() {
  stop_.Request();
  LookSoon();
  if (thread_.joinable()) thread_.join();
  hub_.Close();
  evidence_.reset();
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
  if (!options_.processes.empty()) table_.Take(std::exchange(options_.processes, {}));
  NSCTL_RETURN_IF_ERROR(Look());
  {
    const absl::MutexLock lock(&mutex_);
    first_ = watchers_;
  }
  const auto& types = options_.types;
  const bool wanted =
      types.empty() || std::find(types.begin(), types.end(), Engine::evidence) != types.end();
  if (options_.evidence && wanted) FollowEvidence();
  if (options_.look_again != absl::InfiniteDuration()) {
    thread_ = std::thread([this] { LookAgain(); });
  }
  return absl::OkStatus();
}

absl::Status Portfolio::Impl::Look() {
  std::vector<EngineGap> gaps;
  // Those that were started before are followed by now, which keeps them.
  activation_.EndConnections();
  if (options_.activate) activation_.Activate(&gaps);
  NSCTL_ASSIGN_OR_RETURN(const auto processes, table_.Look(MaxAge()));
  EngineFinder::Result found = finder_.Look(*processes);
  found.gaps.insert(found.gaps.end(), gaps.begin(), gaps.end());
  FollowAll(found);
  hub_.SetGaps(kFinderKey, std::move(found.gaps));
  return absl::OkStatus();
}

void Portfolio::Impl::LookForMonitors() {
  const auto processes = table_.LookForNew();
  if (processes.ok()) FollowAll(finder_.LookSoon(**processes));
}

void Portfolio::Impl::FollowAll(const EngineFinder::Result& found) {
  for (const FoundEngine& engine : found.engines) Follow(engine);
  Watchers watchers = lxc_.Follow(found.monitors);
  const absl::MutexLock lock(&mutex_);
  watchers_.insert(watchers_.end(), std::make_move_iterator(watchers.begin()),
                   std::make_move_iterator(watchers.end()));
}

void Portfolio::Impl::LookSoon() {
  const absl::MutexLock lock(&look_mutex_);
  look_soon_ = true;
}

bool Portfolio::Impl::AwaitLook(absl::Time time) {
  const absl::MutexLock lock(&look_mutex_);
  (void)look_mutex_.AwaitWithDeadline(absl::Condition(&look_soon_), time);
  return std::exchange(look_soon_, false);
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
  engine.set_api(base::EncodeText(found.socket));
  SetStanding(procfs_, pid, &engine);
  engine.set_key(absl::StrCat(TypeName(engine.type()), ":", pid.value, "@", engine.start_time()));
  RowLimits limits;
  if (engine.foreign()) {
    limits = {.row_bytes = kForeignRowBytes, .bytes = kForeignBytes, .shared = foreign_bytes_};
  }
  auto door = std::make_unique<EngineDoor>(procfs_, *process, found.kinds, EngineKinds());
  auto watcher = std::make_shared<EngineWatcher>(
      engine, std::make_unique<BoundedClient>(std::move(door), limits), *std::move(finder),
      *process, &hub_, options_.watcher);
  const absl::MutexLock lock(&mutex_);
  watchers_.push_back(std::move(watcher));
}

void Portfolio::Impl::FollowEvidence() {
  EvidenceOptions options;
  options.interval = options_.look_again;
  options.max_age = MaxAge();
  options.known = [this] { return KnownProcesses(); };
  options.await_engines = [this](const StopSignal* stop) { AwaitEngines(stop); };
  options.set_gaps = [this](std::vector<EngineGap> gaps) {
    hub_.SetGaps(kEvidenceGapsKey, std::move(gaps));
  };
  Engine engine;
  engine.set_type(Engine::evidence);
  engine.set_key(kEvidenceKey);
  WatcherOptions watcher = options_.watcher;
  // Nobody says how a process ended that is known by evidence.
  watcher.sync.exit_grace = absl::ZeroDuration();
  watcher.sync.only_with_process = true;
  watcher.before_publish = [this](const std::vector<Change>& changes) { PlaceEvidence(changes); };
  evidence_ = std::make_unique<EngineWatcher>(
      engine,
      std::make_unique<EvidenceClient>(Evidence(procfs_, &table_, HostRoot(procfs_)), options),
      std::make_unique<ObserverProcesses>(procfs_, &table_), nullptr, &hub_, watcher);
}

void Portfolio::Impl::PlaceEvidence(const std::vector<Change>& changes) {
  Containers containers = hub_.Current();
  bool is_new = false;
  for (const Change& change : changes) {
    if (change.kind() != Change::started) continue;
    is_new = true;
    Container& container = *containers.add_containers();
    container = change.container();
    container.set_engine(kEvidenceKey);
  }
  if (!is_new) return;
  MergeViews(&containers);
  const absl::MutexLock lock(&nesting_mutex_);
  nesting_.SetParents(&containers);
  hub_.AddPlaces(PlacesOf(containers), absl::Now());
}

std::set<std::pair<int32_t, uint64_t>> Portfolio::Impl::KnownProcesses() const {
  std::set<std::pair<int32_t, uint64_t>> known;
  const Containers current = hub_.Current();
  for (const Container& container : current.containers()) {
    if (container.pid() == 0 || container.engine() == kEvidenceKey) continue;
    known.emplace(container.pid(), container.start_time());
  }
  return known;
}

void Portfolio::Impl::AwaitEngines(const StopSignal* stop) const {
  Watchers awaited;
  {
    const absl::MutexLock lock(&mutex_);
    awaited = first_;
  }
  const absl::Time deadline = absl::Now() + kEngineGrace;
  for (const auto& watcher : awaited) {
    constexpr absl::Duration kStep = absl::Milliseconds(50);
    while (!stop->requested() && absl::Now() < deadline &&
           !watcher->AwaitFirstResult(std::min(deadline, absl::Now() + kStep))) {
    }
  }
}

bool Portfolio::Impl::ForgetEngines() {
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
  return !gone.empty();
}

void Portfolio::Impl::LookAgain() {
  while (true) {
    const absl::Time next = absl::Now() + options_.look_again;
    while (AwaitLook(next) && !stop_.requested()) LookForMonitors();
    if (stop_.requested()) return;
    // What an engine that is gone told may have been much.
    if (ForgetEngines()) (void)malloc_trim(0);
    // Nothing new where processes cannot be listed.
    (void)Look();
    // Subscribers are told which engine is in which container.
    (void)Current();
  }
}

Containers Portfolio::Impl::Current() {
  const absl::MutexLock lock(&nesting_mutex_);
  Containers current = hub_.Current();
  nesting_.SetParents(&current);
  nesting_.SetCgroups(&current);
  hub_.SetParents(current.engines(), absl::Now());
  hub_.AddPlaces(PlacesOf(current), absl::Now());
  if (options_.watcher.stopped) MergeStopped(&current);
  // Not worth a word where engines tell all.
  const auto& containers = current.containers();
  const bool has_evidence =
      std::any_of(containers.begin(), containers.end(),
                  [](const Container& container) { return container.engine() == kEvidenceKey; });
  auto& engines = *current.mutable_engines();
  if (!has_evidence) {
    engines.erase(std::remove_if(engines.begin(), engines.end(),
                                 [](const Engine& engine) {
                                   return engine.key() == kEvidenceKey &&
                                          engine.state() == Engine::ready;
                                 }),
                  engines.end());
  }
  return current;
}

bool Portfolio::Impl::AwaitFirstResults(absl::Time deadline,
                                        const std::function<bool()>& enough) const {
  std::vector<const EngineWatcher*> awaited;
  Watchers first;
  {
    const absl::MutexLock lock(&mutex_);
    first = first_;
  }
  for (const auto& watcher : first) awaited.push_back(watcher.get());
  if (evidence_ != nullptr) awaited.push_back(evidence_.get());
  size_t asked_at = awaited.size() + 1;
  while (true) {
    std::erase_if(awaited, [](const EngineWatcher* watcher) {
      return watcher->AwaitFirstResult(absl::InfinitePast());
    });
    if (awaited.empty()) return true;
    if (enough != nullptr && awaited.size() != asked_at && enough()) return false;
    asked_at = awaited.size();
    const absl::Time now = absl::Now();
    if (now >= deadline) return false;
    // Any other may tell meanwhile.
    constexpr absl::Duration kStep = absl::Milliseconds(5);
    (void)awaited.front()->AwaitFirstResult(enough == nullptr ? deadline
                                                              : std::min(deadline, now + kStep));
  }
}

Portfolio::Portfolio(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Portfolio::~Portfolio() = default;

absl::StatusOr<std::unique_ptr<Portfolio>> Portfolio::Start(const procfsroot::Procfs& procfs,
                                                            PortfolioOptions options) {
  auto impl = std::make_unique<Impl>(procfs, std::move(options));
  NSCTL_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Portfolio>(new Portfolio(std::move(impl)));
}

bool Portfolio::AwaitFirstResults(absl::Time deadline, const std::function<bool()>& enough) const {
  return impl_->AwaitFirstResults(deadline, enough);
}

Containers Portfolio::Current() const { return impl_->Current(); }

std::unique_ptr<ContainerHub::Subscription> Portfolio::Subscribe(size_t max_queued) {
  return impl_->hub().Subscribe(max_queued);
}

}  // namespace nsctl::engines
