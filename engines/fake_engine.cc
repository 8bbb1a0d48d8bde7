#include "engines/fake_engine.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {
namespace {

absl::Status Hang(const CallLimits& limits) {
  AwaitTime(limits.deadline, *limits.stop);
  return limits.stop->requested() ? absl::CancelledError("stopped")
                                  : absl::DeadlineExceededError("no answer in time");
}

}  // namespace

class FakeEngine::Client : public EngineClient {
 public:
  explicit Client(FakeEngine* engine) : engine_(*engine) {}

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  bool replays() const override { return false; }

 private:
  FakeEngine& engine_;
};

absl::StatusOr<Engine> FakeEngine::Client::Identify(const CallLimits& limits) {
  Faults faults;
  {
    const absl::MutexLock lock(&engine_.mutex_);
    ++engine_.attempts_;
    faults = engine_.faults_;
  }
  if (faults.identify_hangs) return Hang(limits);
  if (!faults.identify.ok()) return faults.identify;
  Engine who;
  who.set_id("fake");
  who.set_version("1");
  return who;
}

absl::Status FakeEngine::Client::Watch(absl::Time, const CallLimits& limits,
                                       absl::FunctionRef<void()> subscribed,
                                       absl::FunctionRef<void(const EngineEvent&)> sink) {
  auto queue = std::make_shared<StreamQueue>();
  {
    const absl::MutexLock lock(&engine_.mutex_);
    engine_.streams_.push_back(queue);
  }
  subscribed();
  absl::Status status;
  while (status.ok()) {
    std::vector<EngineEvent> events;
    bool ended = false;
    {
      const absl::MutexLock lock(&engine_.mutex_);
      events.swap(queue->events);
      ended = queue->ended;
    }
    for (const EngineEvent& event : events) sink(event);
    if (ended) break;
    if (limits.stop->requested()) status = absl::CancelledError("stopped");
    AwaitTime(absl::Now() + absl::Milliseconds(1), *limits.stop);
  }
  const absl::MutexLock lock(&engine_.mutex_);
  auto& streams = engine_.streams_;
  streams.erase(std::find(streams.begin(), streams.end(), queue));
  return status;
}

absl::Status FakeEngine::Client::List(const CallLimits& limits,
                                      absl::FunctionRef<absl::Status(EngineRow)> sink) {
  std::vector<EngineRow> rows;
  std::function<void()> hook;
  Faults faults;
  {
    const absl::MutexLock lock(&engine_.mutex_);
    ++engine_.lists_;
    faults = engine_.faults_;
    hook = engine_.on_list_;
    for (const auto& [id, known] : engine_.known_) {
      if (known.process == nullptr) continue;
      EngineRow row = engine_.RowOf(id);
      row.partial = faults.partial_lists;
      if (row.partial) row.container.clear_engine_pid();
      rows.push_back(std::move(row));
    }
  }
  if (faults.list_hangs) return Hang(limits);
  if (!faults.list.ok()) return faults.list;
  if (hook) hook();
  for (EngineRow& row : rows) {
    absl::Status status = sink(std::move(row));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<EngineRow> FakeEngine::Client::Inspect(const ContainerId& container,
                                                      const CallLimits& limits) {
  Faults faults;
  absl::Duration latency;
  {
    const absl::MutexLock lock(&engine_.mutex_);
    ++engine_.inspections_;
    engine_.most_inspections_ = std::max(engine_.most_inspections_, ++engine_.inspecting_);
    faults = engine_.faults_;
    latency = engine_.latency_;
  }
  AwaitTime(absl::Now() + latency, *limits.stop);
  const absl::Status hung = faults.inspect_hangs ? Hang(limits) : absl::OkStatus();
  const absl::MutexLock lock(&engine_.mutex_);
  --engine_.inspecting_;
  if (!hung.ok()) return hung;
  if (!faults.inspect.ok()) return faults.inspect;
  if (engine_.known_.count(container.id) == 0) return absl::NotFoundError(container.id);
  return engine_.RowOf(container.id);
}

FakeEngine::FakeEngine() = default;

void FakeEngine::SetFaults(const Faults& faults) {
  const absl::MutexLock lock(&mutex_);
  faults_ = faults;
}

void FakeEngine::OnList(std::function<void()> hook) {
  const absl::MutexLock lock(&mutex_);
  on_list_ = std::move(hook);
}

EngineRow FakeEngine::RowOf(const std::string& id) const {
  const Known& known = known_.at(id);
  EngineRow row;
  row.container.set_id(id);
  row.container.set_name(id);
  row.container.set_state(known.state);
  if (known.process != nullptr) {
    row.container.set_engine_pid(known.process->pid());
  } else {
    row.container.set_exit_code(known.exit_code);
  }
  return row;
}

void FakeEngine::TellLocked(const EngineEvent& event) {
  if (faults_.mute) return;
  for (const auto& stream : streams_) stream->events.push_back(event);
}

void FakeEngine::Tell(const EngineEvent& event, int times) {
  const absl::MutexLock lock(&mutex_);
  for (int i = 0; i < times; ++i) TellLocked(event);
}

std::shared_ptr<FakeProcess> FakeEngine::Start(const std::string& id) {
  auto process = processes_.Start();
  const absl::MutexLock lock(&mutex_);
  known_[id] = {.state = Container::running, .process = process};
  TellLocked({.kind = EngineEvent::Kind::kStarted, .container = {"", id}, .time = absl::Now()});
  return process;
}

void FakeEngine::Die(const std::string& id, int32_t exit_code) {
  const absl::MutexLock lock(&mutex_);
  Known& known = known_.at(id);
  known.process->End();
  known = {.state = Container::exited, .process = nullptr, .exit_code = exit_code};
  TellLocked({.kind = EngineEvent::Kind::kExited,
              .container = {"", id},
              .time = absl::Now(),
              .exit_code = exit_code});
}

void FakeEngine::SetPaused(const std::string& id, bool paused) {
  const absl::MutexLock lock(&mutex_);
  known_.at(id).state = paused ? Container::paused : Container::running;
  TellLocked({.kind = paused ? EngineEvent::Kind::kPaused : EngineEvent::Kind::kUnpaused,
              .container = {"", id},
              .time = absl::Now()});
}

void FakeEngine::EndStreams() {
  const absl::MutexLock lock(&mutex_);
  for (const auto& stream : streams_) stream->ended = true;
}

int FakeEngine::streams() const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(streams_.size());
}

int FakeEngine::attempts() const {
  const absl::MutexLock lock(&mutex_);
  return attempts_;
}

int FakeEngine::lists() const {
  const absl::MutexLock lock(&mutex_);
  return lists_;
}

int FakeEngine::inspections() const {
  const absl::MutexLock lock(&mutex_);
  return inspections_;
}

int FakeEngine::most_inspections() const {
  const absl::MutexLock lock(&mutex_);
  return most_inspections_;
}

void FakeEngine::SetLatency(absl::Duration latency) {
  const absl::MutexLock lock(&mutex_);
  latency_ = latency;
}

std::unique_ptr<EngineClient> FakeEngine::MakeClient() { return std::make_unique<Client>(this); }

std::unique_ptr<ProcessFinder> FakeEngine::MakeFinder() { return processes_.MakeFinder(); }

}  // namespace nsctl::engines
