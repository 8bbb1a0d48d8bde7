#include "engines/short_lives.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::engines {
namespace {

// Of containers whose lives are remembered, told or not.
constexpr size_t kMaxTold = 10'000;
constexpr size_t kMaxLives = 10'000;
// Longer names and images are not remembered.
constexpr size_t kMaxText = 1024;

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const timespec parts = absl::ToTimespec(time);
  timestamp->set_seconds(parts.tv_sec);
  timestamp->set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

Change MakeChange(Change::Kind kind, absl::Time happened, absl::Time now, const EngineRow& row) {
  Change change;
  change.set_kind(kind);
  change.set_source(Change::event);
  if (happened > absl::UnixEpoch()) SetTime(happened, change.mutable_happened_at());
  SetTime(now, change.mutable_received_at());
  *change.mutable_container() = row.container;
  if (row.pod.has_value()) *change.mutable_pod() = *row.pod;
  return change;
}

// What the events alone say.
EngineRow RowOf(const EngineEvent& event) {
  EngineRow row;
  row.container.set_id(event.container.id);
  row.container.set_native_namespace(event.container.native_namespace);
  row.container.set_name(event.name.empty() ? event.container.id : event.name);
  row.container.set_image(event.image);
  return row;
}

}  // namespace

void ShortLives::BeginAt(absl::Time now) { floor_ = std::min(floor_, now); }

void ShortLives::Start(const EngineEvent& event) {
  const auto told = told_until_.find(event.container);
  const bool is_repeated = told != told_until_.end() && event.time <= told->second;
  if (event.time == absl::InfinitePast() || event.time <= floor_ || is_repeated) return;
  if (lives_.size() >= kMaxLives || StartOf(event.container) < absl::InfiniteFuture()) return;
  EngineEvent& start = (lives_[event.container] = {.start = event, .end = std::nullopt}).start;
  if (start.name.size() > kMaxText) start.name.clear();
  if (start.image.size() > kMaxText) start.image.clear();
}

void ShortLives::End(const EngineEvent& event) {
  const auto life = lives_.find(event.container);
  if (life == lives_.end() || event.time < life->second.start.time) return;
  if (life->second.end.has_value()) return;
  life->second.end = event;
  life->second.end->name.clear();
  life->second.end->image.clear();
}

absl::Time ShortLives::StartOf(const ContainerId& id) const {
  const auto life = lives_.find(id);
  return life == lives_.end() ? absl::InfiniteFuture() : life->second.start.time;
}

bool ShortLives::HasEnded(const ContainerId& id) const {
  const auto life = lives_.find(id);
  return life != lives_.end() && life->second.end.has_value();
}

void ShortLives::SetTold(const ContainerId& id, absl::Time time) {
  if (time == absl::InfinitePast()) return;
  if (told_until_.size() >= kMaxTold) {
    for (const auto& [other, until] : told_until_) floor_ = std::max(floor_, until);
    told_until_.clear();
  }
  absl::Time& until = told_until_.try_emplace(id, time).first->second;
  until = std::max(until, time);
}

void ShortLives::Tell(const ContainerId& id, const EngineRow* row, absl::Time now,
                      std::vector<Change>* changes) {
  const auto found = lives_.find(id);
  if (found == lives_.end()) return;
  const Life life = std::move(found->second);
  lives_.erase(found);
  EngineRow shown = row == nullptr ? RowOf(life.start) : *row;
  Container& container = shown.container;
  const Container last = container;
  container.set_state(Container::running);
  container.set_engine_pid(life.start.engine_pid.value_or(0));
  container.clear_pid_error();
  container.clear_exit_code();
  container.clear_oom_killed();
  container.clear_finished_at();
  changes->push_back(MakeChange(Change::started, life.start.time, now, shown));

  const absl::Time ended = life.end.has_value() ? life.end->time : absl::InfinitePast();
  container.set_state(IsAlive(last.state()) ? Container::exited : last.state());
  if (container.state() == Container::unknown) container.set_state(Container::exited);
  if (last.has_exit_code()) container.set_exit_code(last.exit_code());
  if (last.has_oom_killed()) container.set_oom_killed(last.oom_killed());
  if (last.has_finished_at()) *container.mutable_finished_at() = last.finished_at();
  if (life.end.has_value() && life.end->exit_code.has_value()) {
    container.set_exit_code(*life.end->exit_code);
  }
  if (life.end.has_value() && life.end->oom_killed.has_value()) {
    container.set_oom_killed(*life.end->oom_killed);
  }
  changes->push_back(MakeChange(Change::exited, ended, now, shown));
  SetTold(id, std::max(life.start.time, ended));
}

}  // namespace nsctl::engines
