#include "engines/lxc/lxc_watch.h"

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "engines/engine_client.h"
#include "engines/folder_watch.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_connection.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines::lxc {
namespace {

constexpr absl::Duration kSteps[] = {absl::Milliseconds(30), absl::Milliseconds(100),
                                     absl::Milliseconds(300), absl::Seconds(1)};
constexpr int kThreads = 16;
// More often in a second no container changes its state.
constexpr int kMaxTurns = 20;
constexpr absl::Duration kTurnsTime = absl::Seconds(1);
constexpr absl::Duration kRootTimeout = absl::Seconds(2);

EngineEvent EventOf(EngineEvent::Kind kind, const Monitor& monitor) {
  return {.kind = kind,
          .container = {.native_namespace = "", .id = base::EncodeText(monitor.name())}};
}

}  // namespace

void Settling::Start(absl::Time now) {
  if (next_ != absl::InfiniteFuture()) {
    again_ = true;
    return;
  }
  step_ = 0;
  next_ = now + kSteps[0];
}

bool Settling::IsDue(absl::Time now) {
  if (now < next_) return false;
  next_ = ++step_ < std::size(kSteps) ? now + kSteps[step_] : absl::InfiniteFuture();
  if (next_ == absl::InfiniteFuture() && std::exchange(again_, false)) Start(now);
  return true;
}

// Locks are where the monitor's user keeps them, and never removed.
void MonitorWatch::FindLocks() {
  const Monitors::List living = monitors_->Living();
  if (living.empty()) return;
  const ContainerProcess& process = living.front()->process();
  absl::StatusOr<procfsroot::Root> root = procfsroot::Root::OfProcess(
      procfs_, base::Pid{process.pid()}, process.pidfd_inode(), {.timeout = kRootTimeout});
  if (!root.ok()) return;
  const Place& place = monitors_->place();
  const std::string user = place.uid == 0 ? "" : absl::StrCat("/user/", place.uid);
  absl::StatusOr<FolderWatch> watch =
      FolderWatch::Make(*std::move(root), absl::StrCat("/run", user, "/lxc/lock", place.path));
  if (watch.ok()) locks_ = *std::move(watch);
}

bool MonitorWatch::TakeMonitors(Sink sink) {
  monitors_->Drain();
  std::set<AllAwaited::key_type> present;
  for (const std::shared_ptr<const Monitor>& monitor : monitors_->Living()) {
    const auto key = std::make_pair(monitor->process().pid(), monitor->process().start_time());
    present.insert(key);
    // One that was rebooted listens elsewhere.
    awaited_[key].monitor = monitor;
  }
  for (auto awaited = awaited_.begin(); awaited != awaited_.end();) {
    const auto current = awaited++;
    if (present.contains(current->first)) continue;
    sink(EventOf(EngineEvent::Kind::kExited, *current->second.monitor));
    awaited_.erase(current);
  }
  return !present.empty();
}

absl::Time MonitorWatch::DueAfterTurn(Awaited* awaited, absl::Time now) {
  if (now - awaited->turns_since > kTurnsTime) {
    awaited->turns_since = now;
    awaited->turns = 0;
  }
  return ++awaited->turns <= kMaxTurns ? now : awaited->turns_since + kTurnsTime;
}

void MonitorWatch::AskDue(const StopSignal* stop, Sink sink) {
  const absl::Time now = absl::Now();
  std::vector<Awaited*> due;
  for (auto& [key, awaited] : awaited_) {
    if (!awaited.socket.has_value() && awaited.due <= now) due.push_back(&awaited);
  }
  const CallLimits limits = {.deadline = now + options_.share, .stop = stop};
  base::ParallelFor(due.size(), 1, kThreads, [&](size_t begin, size_t end, int /*worker*/) {
    for (size_t i = begin; i < end; ++i) {
      absl::StatusOr<std::optional<base::OwnedFd>> socket = due[i]->monitor->AwaitState(limits);
      due[i]->due = socket.ok() ? DueAfterTurn(due[i], now) : now + options_.interval;
      if (socket.ok()) due[i]->socket = *std::move(socket);
    }
  });
  // It was asked for the next state first: no change is missed in between.
  for (const Awaited* awaited : due) {
    sink(EventOf(EngineEvent::Kind::kUpdated, *awaited->monitor));
  }
}

void MonitorWatch::TakeState(Awaited* awaited, Sink sink) {
  const bool lives = ReadState(*awaited->socket).ok();
  awaited->socket.reset();
  if (lives) return;
  // Ended, or between two sockets.
  settling_.Start(absl::Now());
  awaited->due = absl::Now() + options_.interval;
  sink(EventOf(EngineEvent::Kind::kExited, *awaited->monitor));
}

absl::Status MonitorWatch::Wait(const StopSignal* stop, Sink sink) {
  absl::Time until = std::min(settling_.next(), absl::Now() + options_.interval);
  std::vector<pollfd> fds = {
      {.fd = stop == nullptr ? -1 : stop->fd().get(), .events = POLLIN, .revents = 0},
      {.fd = monitors_->added_fd().get(), .events = POLLIN, .revents = 0},
      {.fd = locks_.has_value() ? locks_->fd().get() : -1, .events = POLLIN, .revents = 0}};
  const size_t first = fds.size();
  std::vector<Awaited*> polled;
  std::vector<pollfd> ends;
  for (auto& [key, awaited] : awaited_) {
    if (!awaited.socket.has_value()) {
      until = std::min(until, awaited.due);
      // Its end is told by nobody else.
      ends.push_back({.fd = awaited.monitor->process().poll_fd(), .events = POLLIN, .revents = 0});
      continue;
    }
    fds.push_back({.fd = awaited.socket->get(), .events = POLLIN, .revents = 0});
    polled.push_back(&awaited);
  }
  fds.insert(fds.end(), ends.begin(), ends.end());
  const int64_t wait = absl::ToInt64Milliseconds(until - absl::Now()) + 1;
  constexpr int64_t kLongest = 60'000;
  (void)poll(fds.data(), fds.size(), static_cast<int>(std::clamp<int64_t>(wait, 0, kLongest)));
  if (stop != nullptr && stop->requested()) return absl::CancelledError("stopped");
  if (fds[2].revents != 0) {
    locks_->Drain();
    settling_.Start(absl::Now());
  }
  for (size_t i = 0; i < polled.size(); ++i) {
    if (fds[first + i].revents != 0) TakeState(polled[i], sink);
  }
  return absl::OkStatus();
}

absl::Status MonitorWatch::Run(const CallLimits& limits, absl::FunctionRef<void()> subscribed,
                               Sink sink) {
  FindLocks();
  const auto ignore = [](const EngineEvent&) {};
  if (TakeMonitors(ignore)) AskDue(limits.stop, ignore);
  subscribed();
  while (TakeMonitors(sink)) {
    if (locks_.has_value() && locks_->Begin()) settling_.Start(absl::Now());
    if (settling_.IsDue(absl::Now())) {
      if (options_.look_for_monitors != nullptr) options_.look_for_monitors();
      for (auto& [key, awaited] : awaited_) awaited.due = std::min(awaited.due, absl::Now());
    }
    AskDue(limits.stop, sink);
    const absl::Status status = Wait(limits.stop, sink);
    if (!status.ok()) return status;
  }
  return absl::UnavailableError("all its monitors ended");
}

}  // namespace nsctl::engines::lxc
