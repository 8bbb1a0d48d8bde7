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
#include "base/namespace_type.h"
#include "base/poll_timeout.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "engines/engine_client.h"
#include "engines/folder_watch.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/lxc/lxc_monitors.h"
#include "engines/stop_signal.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines::lxc {
namespace {

constexpr absl::Duration kSteps[] = {absl::Milliseconds(10), absl::Milliseconds(30),
                                     absl::Milliseconds(100), absl::Milliseconds(300),
                                     absl::Seconds(1)};
constexpr int kThreads = 16;
constexpr absl::Duration kRootTimeout = absl::Seconds(2);
// Where the system gives no descriptor for a stop, one is noticed so late.
constexpr absl::Duration kLongest = absl::Minutes(1);

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
  std::set<std::pair<int32_t, uint64_t>> present;
  for (const std::shared_ptr<const Monitor>& monitor : monitors_->Living()) {
    const auto key = std::make_pair(monitor->process().pid(), monitor->process().start_time());
    present.insert(key);
    // One that was rebooted listens elsewhere.
    watched_[key].monitor = monitor;
  }
  for (auto watched = watched_.begin(); watched != watched_.end();) {
    const auto current = watched++;
    if (present.contains(current->first)) continue;
    sink(EventOf(EngineEvent::Kind::kExited, *current->second.monitor));
    watched_.erase(current);
  }
  return !present.empty();
}

void MonitorWatch::Ask(bool all, const StopSignal* stop, Sink sink) {
  std::vector<Watched*> asked;
  for (auto& [key, watched] : watched_) {
    if (all || !watched.asked) asked.push_back(&watched);
  }
  std::vector<std::optional<Monitor::Now>> answers(asked.size());
  const CallLimits limits = {.deadline = absl::Now() + options_.share, .stop = stop};
  base::ParallelFor(asked.size(), 1, kThreads, [&](size_t begin, size_t end, int /*worker*/) {
    for (size_t i = begin; i < end; ++i) {
      const absl::StatusOr<Monitor::Now> now = asked[i]->monitor->ReadNow(limits);
      if (now.ok()) answers[i] = *now;
    }
  });
  for (size_t i = 0; i < asked.size(); ++i) {
    Watched& watched = *asked[i];
    if (!watched.asked || watched.now != answers[i]) {
      sink(EventOf(EngineEvent::Kind::kUpdated, *watched.monitor));
    }
    watched.asked = true;
    watched.now = answers[i];
  }
}

absl::Status MonitorWatch::Wait(const StopSignal* stop) {
  std::vector<pollfd> fds = {
      {.fd = stop == nullptr ? -1 : stop->fd().get(), .events = POLLIN, .revents = 0},
      {.fd = monitors_->added_fd().get(), .events = POLLIN, .revents = 0},
      {.fd = locks_.has_value() ? locks_->fd().get() : -1, .events = POLLIN, .revents = 0}};
  for (const auto& [key, watched] : watched_) {
    fds.push_back({.fd = watched.monitor->process().poll_fd(), .events = POLLIN, .revents = 0});
  }
  const absl::Time until = std::min(settling_.next(), next_look_);
  (void)poll(fds.data(), fds.size(), base::PollTimeout(std::min(until - absl::Now(), kLongest)));
  if (stop != nullptr && stop->requested()) return absl::CancelledError("stopped");
  if (fds[2].revents != 0) {
    locks_->Drain();
    settling_.Start(absl::Now());
  }
  return absl::OkStatus();
}

absl::Status MonitorWatch::Run(const CallLimits& limits, absl::FunctionRef<void()> subscribed,
                               Sink sink) {
  FindLocks();
  if (locks_.has_value()) (void)locks_->Begin();
  const auto ignore = [](const EngineEvent&) {};
  if (TakeMonitors(ignore)) Ask(/*all=*/true, limits.stop, ignore);
  next_look_ = absl::Now() + options_.interval;
  subscribed();
  while (TakeMonitors(sink)) {
    if (locks_.has_value() && locks_->Begin()) settling_.Start(absl::Now());
    const bool settling = settling_.IsDue(absl::Now());
    if (settling && options_.look_for_monitors != nullptr) options_.look_for_monitors();
    const bool late = absl::Now() >= next_look_;
    if (settling || late) next_look_ = absl::Now() + options_.interval;
    Ask(settling || late, limits.stop, sink);
    absl::Status status = Wait(limits.stop);
    if (!status.ok()) return status;
  }
  return absl::UnavailableError("all its monitors ended");
}

}  // namespace nsctl::engines::lxc
