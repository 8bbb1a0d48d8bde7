#include "engines/engine_watcher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
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
#include "base/errors.h"
#include "base/fd.h"
#include "base/text.h"
#include "engines/backoff.h"
#include "engines/call_pool.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/process_watches.h"
#include "engines/stop_signal.h"
#include "engines/stopped_rows.h"
#include "engines/told_processes.h"

namespace nsctl::engines {
namespace {

// Of epoll's data; watched processes have numbers from 1.
constexpr uint64_t kMailbox = 0;
constexpr uint64_t kEngineProcess = ~uint64_t{0};

// That it is not available its state says.
std::string OneLine(const absl::Status& status) {
  const std::string code = absl::StatusCodeToString(status.code());
  return base::EncodeText(absl::StrCat(absl::IsUnavailable(status) ? "" : code,
                                       absl::IsUnavailable(status) ? "" : ": ",
                                       base::TerminalText(status.message())));
}

}  // namespace

class EngineWatcher::Actor {
 public:
  Actor(Engine engine, std::unique_ptr<EngineClient> client, std::unique_ptr<ProcessFinder> finder,
        std::shared_ptr<const ContainerProcess> process, ContainerHub* hub, WatcherOptions options);
  ~Actor();

  bool AwaitFirstResult(absl::Time deadline) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool gone() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // What the other threads tell, taken in by the actor's.
  using Message = std::function<void()>;

  void Post(Message message) ABSL_LOCKS_EXCLUDED(mutex_);
  void PostEvent(uint64_t attempt, const EngineEvent& event) ABSL_LOCKS_EXCLUDED(mutex_);
  void Run();
  void TakeMessages() ABSL_LOCKS_EXCLUDED(mutex_);
  void Wait();
  void Take(SyncActions actions);

  void BeginAttempt();
  void EndAttempt(const absl::Status& status);
  // Runs in the stream's thread.
  void Stream(uint64_t attempt, absl::Time since, std::shared_ptr<StopSignal> stop);

  CallLimits LimitsOf(absl::Duration timeout, const StopSignal& stop) const {
    return {.deadline = absl::Now() + timeout, .stop = &stop};
  }
  // When an engine that tells nothing is asked whether it is there.
  absl::Time next_ping() const {
    return pinging_ || stop_attempt_ == nullptr ? absl::InfiniteFuture()
                                                : quiet_since_ + options_.quiet_time;
  }
  void StartPing();
  void TakePing(uint64_t attempt, const absl::Status& status);
  void StartList();
  void StartInspection(const ContainerId& id);
  void StartStopped();
  void TakeStopped(uint64_t attempt, absl::StatusOr<Containers> stopped);
  Sighting Look(EngineRow row) const;
  absl::StatusOr<std::vector<Sighting>> List(const StopSignal& stop) const;

  void SetState(Engine::State state, const std::string& reason);
  void PublishState();
  void SetGone();
  void CountLeft() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<EngineClient> client_;
  const std::unique_ptr<ProcessFinder> finder_;
  const std::shared_ptr<const ContainerProcess> process_;
  ContainerHub* const hub_;
  WatcherOptions options_;
  const base::OwnedFd wake_;

  // The actor's thread alone.
  Engine engine_;
  SyncState sync_;
  ProcessWatches watches_;
  std::thread stream_;
  bool streaming_ = false;
  std::shared_ptr<StopSignal> stop_attempt_;
  absl::Status why_given_up_;
  absl::Time subscribed_at_ = absl::InfiniteFuture();
  absl::Time next_attempt_ = absl::InfinitePast();
  int failures_ = 0;
  // Stopped containers are being listed; or why that failed.
  bool lists_stopped_ = false;
  absl::Status why_no_stopped_;
  // Since when nothing was heard of the engine, and whether it is asked for a sign of life.
  absl::Time quiet_since_ = absl::InfiniteFuture();
  bool pinging_ = false;

  mutable absl::Mutex mutex_;
  std::vector<Message> messages_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_events_ ABSL_GUARDED_BY(mutex_) = 0;
  bool lost_events_ ABSL_GUARDED_BY(mutex_) = false;
  bool first_result_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  // Processes that run on after that.
  std::vector<ToldProcesses::Id> left_ ABSL_GUARDED_BY(mutex_);

  StopSignal stop_;
  // Ended first: its calls use everything else.
  CallPool calls_;
  std::thread thread_;
};

EngineWatcher::Actor::Actor(Engine engine, std::unique_ptr<EngineClient> client,
                            std::unique_ptr<ProcessFinder> finder,
                            std::shared_ptr<const ContainerProcess> process, ContainerHub* hub,
                            WatcherOptions options)
    : client_(std::move(client)),
      finder_(std::move(finder)),
      process_(std::move(process)),
      hub_(hub),
      options_(std::move(options)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"),
      engine_(std::move(engine)),
      sync_(options_.sync),
      calls_(options_.max_calls) {
  if (!options_.random) {
    options_.random = [] {
      std::random_device device;
      return std::uniform_real_distribution<double>()(device);
    };
  }
  watches_.WatchFd(kMailbox, wake_);
  if (process_ != nullptr) watches_.Watch(kEngineProcess, process_);
  SetState(Engine::connecting, "");
  thread_ = std::thread([this] { Run(); });
}

EngineWatcher::Actor::~Actor() {
  stop_.Request();
  Post([] {});
  thread_.join();
}

bool EngineWatcher::Actor::AwaitFirstResult(absl::Time deadline) const {
  const absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(&first_result_), deadline);
}

void EngineWatcher::Actor::Post(Message message) {
  const absl::MutexLock lock(&mutex_);
  if (messages_.empty()) {
    const uint64_t one = 1;
    (void)base::WriteAll(wake_, {reinterpret_cast<const char*>(&one), sizeof(one)});
  }
  messages_.push_back(std::move(message));
}

void EngineWatcher::Actor::PostEvent(uint64_t attempt, const EngineEvent& event) {
  {
    const absl::MutexLock lock(&mutex_);
    if (waiting_events_ >= options_.max_events) {
      lost_events_ = true;
      return;
    }
    ++waiting_events_;
  }
  Post([this, attempt, event] {
    if (attempt != sync_.attempt()) return;
    if (stop_attempt_ != nullptr) quiet_since_ = options_.clock();
    Take(sync_.Event(event, options_.clock()));
  });
}

void EngineWatcher::Actor::TakeMessages() {
  std::vector<Message> messages;
  bool lost = false;
  {
    const absl::MutexLock lock(&mutex_);
    messages.swap(messages_);
    waiting_events_ = 0;
    std::swap(lost, lost_events_);
    uint64_t count;
    (void)!read(wake_.get(), &count, sizeof(count));
  }
  for (const Message& message : messages) message();
  if (lost) {
    Take(sync_.Event({.kind = EngineEvent::Kind::kLost}, options_.clock()));
  }
}

void EngineWatcher::Actor::Run() {
  while (true) {
    TakeMessages();
    // Asked after: who requests it sends a message behind that, which wakes no later wait.
    if (stop_.requested()) break;
    const absl::Time now = options_.clock();
    if (sync_.next_tick() <= now) Take(sync_.Tick(now));
    if (!streaming_ && now >= next_attempt_) BeginAttempt();
    if (now >= next_ping()) StartPing();
    PublishState();
    Wait();
  }
  if (stop_attempt_ != nullptr) stop_attempt_->Request();
  if (stream_.joinable()) stream_.join();
}

void EngineWatcher::Actor::Wait() {
  const absl::Duration now_to_real = absl::Now() - options_.clock();
  absl::Time until = std::min(sync_.next_tick(), next_ping());
  if (!streaming_) until = std::min(until, next_attempt_);
  if (until != absl::InfiniteFuture()) until += now_to_real;
  for (const uint64_t number : watches_.Wait(until)) {
    if (number == kEngineProcess) return SetGone();
    if (number != kMailbox) Take(sync_.ProcessEnded(number, options_.clock()));
  }
}

void EngineWatcher::Actor::Take(SyncActions actions) {
  for (const uint64_t number : actions.unwatch) watches_.Unwatch(number);
  for (auto& watch : actions.watch) watches_.Watch(watch.number, std::move(watch.process));
  if (options_.before_publish && !actions.changes.empty()) options_.before_publish(actions.changes);
  hub_->Publish(engine_.key(), std::move(actions.changes));
  if (engine_.state() == Engine::gone) CountLeft();
  if (actions.list) StartList();
  for (const ContainerId& id : actions.inspect) StartInspection(id);
  if (!actions.give_up.ok() && stop_attempt_ != nullptr) {
    why_given_up_ = actions.give_up;
    stop_attempt_->Request();
  }
}

void EngineWatcher::Actor::BeginAttempt() {
  streaming_ = true;
  subscribed_at_ = absl::InfiniteFuture();
  why_given_up_ = absl::OkStatus();
  lists_stopped_ = pinging_ = false;
  quiet_since_ = absl::InfiniteFuture();
  stop_attempt_ = std::make_shared<StopSignal>();
  const absl::Time since = sync_.BeginAttempt(options_.clock());
  stream_ = std::thread([this, attempt = sync_.attempt(), since, stop = stop_attempt_] {
    Stream(attempt, since, stop);
  });
}

void EngineWatcher::Actor::Stream(uint64_t attempt, absl::Time since,
                                  std::shared_ptr<StopSignal> stop) {
  absl::StatusOr<Engine> who = client_->Identify(LimitsOf(options_.call_timeout, *stop));
  absl::Status status = who.status();
  if (status.ok()) {
    Post([this, who = *std::move(who)] {
      engine_.set_id(who.id());
      engine_.set_version(who.version());
      engine_.set_api_version(who.api_version());
      if (who.type() != Engine::unspecified) engine_.set_type(who.type());
      if (!who.api().empty()) engine_.set_api(who.api());
      sync_.set_replays(client_->replays());
    });
    status = client_->Watch(
        since, LimitsOf(options_.call_timeout, *stop),
        [this, attempt] {
          Post([this, attempt] {
            if (attempt != sync_.attempt() || stop_attempt_ == nullptr) return;
            subscribed_at_ = quiet_since_ = options_.clock();
            SetState(Engine::syncing, "");
            Take(sync_.Subscribed(subscribed_at_));
            if (options_.stopped) StartStopped();
          });
        },
        [this, attempt](const EngineEvent& event) { PostEvent(attempt, event); });
    if (status.ok()) status = absl::UnavailableError("its stream of events ended");
  }
  Post([this, status] { EndAttempt(status); });
}

void EngineWatcher::Actor::EndAttempt(const absl::Status& status) {
  // The engine is gone, and so is the thread that this comes from.
  if (!stream_.joinable()) return;
  stream_.join();
  streaming_ = false;
  // Its other calls end too.
  stop_attempt_->Request();
  stop_attempt_.reset();
  const absl::Time now = options_.clock();
  Take(sync_.AttemptEnded(now));
  if (subscribed_at_ != absl::InfiniteFuture() && now - subscribed_at_ >= options_.healthy_after) {
    failures_ = 0;
  }
  next_attempt_ = now + BackoffAfter(failures_++, options_.random(), options_.min_backoff,
                                     options_.max_backoff);
  SetState(Engine::degraded, OneLine(why_given_up_.ok() ? status : why_given_up_));
}

Sighting EngineWatcher::Actor::Look(EngineRow row) const {
  Sighting sighting;
  const Container& container = row.container;
  if (IsAlive(container.state()) && container.engine_pid() != 0) {
    auto process = finder_->Find(container.engine_pid());
    if (process.ok()) {
      sighting.process = *std::move(process);
      sighting.born = TimeOfStart(sighting.process->start_time());
    } else {
      const int error = base::ErrnoOf(process.status());
      sighting.process_error =
          error != 0 ? base::ErrnoName(error) : absl::StatusCodeToString(process.status().code());
    }
  }
  sighting.row = std::move(row);
  return sighting;
}

absl::StatusOr<std::vector<Sighting>> EngineWatcher::Actor::List(const StopSignal& stop) const {
  std::vector<Sighting> rows;
  const absl::Status status =
      client_->List(LimitsOf(options_.list_timeout, stop), [this, &rows](EngineRow row) {
        if (rows.size() >= options_.max_containers) {
          return absl::ResourceExhaustedError(
              absl::StrCat("lists more than ", options_.max_containers, " containers"));
        }
        rows.push_back(Look(std::move(row)));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return rows;
}

void EngineWatcher::Actor::StartList() {
  calls_.Run([this, attempt = sync_.attempt(), stop = stop_attempt_] {
    auto list = std::make_shared<absl::StatusOr<std::vector<Sighting>>>(List(*stop));
    Post(
        [this, attempt, list] { Take(sync_.Listed(attempt, std::move(*list), options_.clock())); });
  });
}

void EngineWatcher::Actor::StartPing() {
  pinging_ = true;
  calls_.Run([this, attempt = sync_.attempt(), stop = stop_attempt_] {
    const absl::Status status = client_->Ping(LimitsOf(options_.call_timeout, *stop));
    Post([this, attempt, status] { TakePing(attempt, status); });
  });
}

void EngineWatcher::Actor::TakePing(uint64_t attempt, const absl::Status& status) {
  if (attempt != sync_.attempt() || stop_attempt_ == nullptr) return;
  pinging_ = false;
  quiet_since_ = options_.clock();
  // Whatever else it says, it is there.
  if (!absl::IsDeadlineExceeded(status) && !absl::IsUnavailable(status)) return;
  why_given_up_ = status;
  stop_attempt_->Request();
}

void EngineWatcher::Actor::StartStopped() {
  lists_stopped_ = true;
  calls_.Run([this, attempt = sync_.attempt(), stop = stop_attempt_] {
    auto stopped = std::make_shared<absl::StatusOr<Containers>>(ListStopped(
        client_.get(), LimitsOf(options_.call_timeout, *stop), options_.max_containers));
    Post([this, attempt, stopped] { TakeStopped(attempt, std::move(*stopped)); });
  });
}

void EngineWatcher::Actor::TakeStopped(uint64_t attempt, absl::StatusOr<Containers> stopped) {
  if (attempt != sync_.attempt() || engine_.state() == Engine::gone) return;
  lists_stopped_ = false;
  why_no_stopped_ = stopped.status();
  if (stopped.ok()) hub_->SetStopped(engine_.key(), *std::move(stopped));
}

void EngineWatcher::Actor::StartInspection(const ContainerId& id) {
  calls_.Run([this, id, attempt = sync_.attempt(), stop = stop_attempt_] {
    absl::StatusOr<Sighting> sighting = absl::CancelledError("stopped");
    if (!stop->requested()) {
      absl::StatusOr<EngineRow> row = client_->Inspect(id, LimitsOf(options_.call_timeout, *stop));
      sighting = row.ok() ? absl::StatusOr<Sighting>(Look(*std::move(row))) : row.status();
    }
    auto result = std::make_shared<absl::StatusOr<Sighting>>(std::move(sighting));
    Post([this, attempt, id, result] {
      Take(sync_.Inspected(attempt, id, std::move(*result), options_.clock()));
    });
  });
}

void EngineWatcher::Actor::SetState(Engine::State state, const std::string& reason) {
  engine_.set_state(state);
  engine_.set_reason(reason);
  hub_->SetEngine(engine_, options_.clock());
  if (state != Engine::ready && state != Engine::degraded && state != Engine::gone) return;
  const absl::MutexLock lock(&mutex_);
  first_result_ = true;
}

void EngineWatcher::Actor::PublishState() {
  const auto process = client_->process();
  if (process.has_value() && *process != std::make_pair(engine_.pid(), engine_.start_time())) {
    engine_.set_pid(process->first);
    engine_.set_start_time(process->second);
    hub_->SetEngine(engine_, options_.clock());
  }
  if (engine_.state() != Engine::syncing || !sync_.in_sync() || lists_stopped_) return;
  std::vector<EngineGap> gaps;
  const auto gap = [&gaps, this](const char* operation, const std::string& error,
                                 const std::string& consequence) {
    EngineGap& one = gaps.emplace_back();
    one.set_subject(engine_.key());
    one.set_operation(operation);
    one.set_error(error);
    one.set_consequence(consequence);
  };
  if (const size_t count = sync_.uninspected(); count > 0) {
    gap("inspect containers", "UNAVAILABLE",
        absl::StrCat(count, " containers are known by the engine's list alone"));
  }
  if (const size_t count = sync_.duplicates(); count > 0) {
    gap("list containers", "ALREADY_EXISTS",
        absl::StrCat(count, " rows have the id of another one and are left out"));
  }
  if (!why_no_stopped_.ok()) {
    gap("list stopped containers", absl::StatusCodeToString(why_no_stopped_.code()),
        "those are not known");
  }
  hub_->SetGaps(engine_.key(), std::move(gaps));
  SetState(Engine::ready, "");
}

void EngineWatcher::Actor::SetGone() {
  const absl::Time now = options_.clock();
  watches_.Unwatch(kEngineProcess);
  if (stop_attempt_ != nullptr) stop_attempt_->Request();
  if (stream_.joinable()) stream_.join();
  stop_attempt_.reset();
  // No further attempt.
  streaming_ = true;
  Take(sync_.EngineGone(now));
  hub_->RemoveEngine(engine_.key(), now);
  engine_.set_state(Engine::gone);
  CountLeft();
  const absl::MutexLock lock(&mutex_);
  first_result_ = true;
  gone_ = true;
}

void EngineWatcher::Actor::CountLeft() {
  std::vector<ToldProcesses::Id> left;
  for (const ToldContainer* told : sync_.told()) {
    left.emplace_back(told->container()->pid(), told->container()->start_time());
  }
  const absl::MutexLock lock(&mutex_);
  left_ = std::move(left);
}

bool EngineWatcher::Actor::gone() const {
  const absl::MutexLock lock(&mutex_);
  return gone_ && std::all_of(left_.begin(), left_.end(), [this](const ToldProcesses::Id& process) {
           return hub_->IsTold(process);
         });
}

EngineWatcher::EngineWatcher(Engine engine, std::unique_ptr<EngineClient> client,
                             std::unique_ptr<ProcessFinder> finder,
                             std::shared_ptr<const ContainerProcess> process, ContainerHub* hub,
                             WatcherOptions options)
    : actor_(std::make_unique<Actor>(std::move(engine), std::move(client), std::move(finder),
                                     std::move(process), hub, std::move(options))) {}

EngineWatcher::~EngineWatcher() = default;

bool EngineWatcher::AwaitFirstResult(absl::Time deadline) const {
  return actor_->AwaitFirstResult(deadline);
}

bool EngineWatcher::gone() const { return actor_->gone(); }

}  // namespace nsctl::engines
