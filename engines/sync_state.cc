#include "engines/sync_state.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/told_container.h"

namespace nsctl::engines {
namespace {

// Of the first subscription: what happens while it is made.
constexpr absl::Duration kReplayBefore = absl::Seconds(2);
// Podman stamps an end before its database shows it; what is closer to a request than this may or
// may not be in the answer.
constexpr absl::Duration kUnclear = absl::Milliseconds(100);
// So often in a row an answer may be overtaken by events before it is told all the same.
constexpr int kMaxOvertaken = 3;
constexpr int kMaxFailedInspections = 3;
// Of containers that events name. Beyond, the list says which of them there are.
constexpr size_t kMaxEntries = 100'000;
// Longer ids are none.
constexpr size_t kMaxId = 4096;
// Between questions how a process ended, to an engine that says it runs.
constexpr absl::Duration kLookAgain = absl::Milliseconds(200);

// Of a container whose process ended: it has another one, or how it ended is known.
bool SaysHow(const absl::StatusOr<Sighting>& sighting) {
  if (!sighting.ok()) return !absl::IsNotFound(sighting.status());
  const Container& container = sighting->row.container;
  return container.state() != Container::exited || container.has_exit_code();
}

}  // namespace

absl::Time SyncState::BeginAttempt(absl::Time now) {
  lives_.BeginAt(now);
  ++attempt_;
  lists_of_attempt_ = 0;
  answered_lists_ = 0;
  failed_lists_ = 0;
  return last_event_time_ == absl::InfinitePast() ? now - kReplayBefore : last_event_time_;
}

SyncActions SyncState::Subscribed(absl::Time now) {
  SyncActions actions;
  connected_ = true;
  RequestList(&actions, now);
  return actions;
}

void SyncState::RequestInspection(Entries::iterator entry, SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  if (!connected_) return;
  if (state.inspecting) {
    state.inspect_again = true;
    return;
  }
  state.inspecting = true;
  state.inspect_again = false;
  state.inspect_after = events_;
  state.inspect_asked = now;
  actions->inspect.push_back(entry->first);
}

SyncState::EventAge SyncState::AgeOf(const Entry& entry, const EngineEvent& event) const {
  if (event.time == absl::InfinitePast()) return EventAge::kNews;
  if (event.time + kUnclear < entry.confirmed) return EventAge::kKnown;
  return event.time < entry.confirmed ? EventAge::kUnclear : EventAge::kNews;
}

SyncActions SyncState::Event(const EngineEvent& event, absl::Time now) {
  using Kind = EngineEvent::Kind;
  SyncActions actions;
  if (!connected_ || event.kind == Kind::kExecExited) return actions;
  if (event.kind == Kind::kLost) {
    RequestList(&actions, now);
    return actions;
  }
  // One that dates its events far ahead gets no replay of what lies between.
  last_event_time_ = std::max(last_event_time_, std::min(event.time, now));
  const bool ends = event.kind == Kind::kExited || event.kind == Kind::kRemoved;
  auto entry = entries_.find(event.container);
  if (entry == entries_.end()) {
    // Of what is not known, the end is no news. A list under way may still show it.
    if (ends && !listing_) return actions;
    if (event.container.id.size() + event.container.native_namespace.size() > kMaxId) {
      return actions;
    }
    if (entries_.size() >= kMaxEntries) {
      RequestList(&actions, now);
      return actions;
    }
    entry = entries_.try_emplace(event.container).first;
  }
  Entry& state = entry->second;
  if (event.kind == Kind::kStarted) state.start_heard = std::max(state.start_heard, event.time);
  const bool is_known = AgeOf(state, event) == EventAge::kKnown;
  if (is_known && !(ends && IsOfEndedProcess(state, event))) return actions;
  state.last_event = ++events_;
  if (event.kind == Kind::kStarted && !state.told.has_process()) {
    // Of some engines a restart is one event.
    const bool is_next = lives_.HasEnded(entry->first) || lives_.StartOf(entry->first) < event.time;
    if (is_next) TellLife(entry, nullptr, &actions, now);
    lives_.Start(event);
  }
  if (ends) {
    TakeExitEvent(entry, event, &actions, now);
  } else if (event.kind == Kind::kPaused || event.kind == Kind::kUnpaused) {
    TakePauseEvent(entry, event, &actions, now);
  } else {
    RequestInspection(entry, &actions, now);
  }
  return actions;
}

void SyncState::TakePauseEvent(Entries::iterator entry, const EngineEvent& event,
                               SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  if (!state.told.has_process() || AgeOf(state, event) == EventAge::kUnclear) {
    return RequestInspection(entry, actions, now);
  }
  state.told.SetPaused(event.kind == EngineEvent::Kind::kPaused,
                       {.source = Change::event, .now = now, .happened = event.time},
                       &actions->changes);
}

void SyncState::ForgetIfUnknown(Entries::iterator entry) {
  const Entry& state = entry->second;
  // One that is listed and cannot be inspected counts as such.
  const bool uninspected =
      state.failed >= kMaxFailedInspections && state.listed == lists_ && connected_;
  if (state.told.container() == nullptr && !state.inspecting && !listing_ && !uninspected &&
      state.ended_engine_pid == 0 && !lives_.Has(entry->first)) {
    entries_.erase(entry);
  }
}

void SyncState::WatchProcess(Entries::iterator entry, SyncActions* actions) {
  Entry& state = entry->second;
  const auto& process = state.told.process();
  if (state.watch != 0) {
    actions->unwatch.push_back(state.watch);
    watches_.erase(state.watch);
    state.watch = 0;
  }
  state.exit_deadline = state.look_again = absl::InfiniteFuture();
  state.exit_facts = {};
  if (process == nullptr || process->poll_fd() < 0) return;
  state.watch = ++last_watch_;
  watches_[state.watch] = entry->first;
  actions->watch.push_back({.number = state.watch, .process = process});
}

void SyncState::Show(Entries::iterator entry, const Sighting& sighting, absl::Time asked,
                     Change::Source source, SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  const Container& seen = sighting.row.container;
  const bool alive = IsAlive(seen.state());
  if (options_.only_with_process && alive && sighting.process == nullptr) {
    if (state.told.process() == nullptr) return ForgetIfUnknown(entry);
    return;
  }
  if (alive && sighting.process == nullptr && state.ended_engine_pid != 0 &&
      seen.engine_pid() == state.ended_engine_pid) {
    // The engine has not noticed yet, or never will.
    state.confirmed = asked;
    return;
  }
  const auto before = state.told.process();
  const bool had_process = state.told.has_process();
  const bool is_of_another = lives_.StartOf(entry->first) < sighting.born;
  if (alive && (lives_.HasEnded(entry->first) || is_of_another)) {
    TellLife(entry, nullptr, actions, now);
  }
  if (alive) lives_.Forget(entry->first);
  state.told.Show(sighting, {.source = source, .now = now}, &actions->changes);
  state.confirmed = asked;
  state.partial.reset();
  if (alive) state.ended_engine_pid = 0;
  if (state.told.process() != before || state.told.has_process() != had_process) {
    // What was not heard of until then is told no more.
    if (alive && had_process && before != nullptr) lives_.SetTold(entry->first, sighting.born);
    state.born = state.told.process() == nullptr ? absl::InfinitePast() : sighting.born;
    WatchProcess(entry, actions);
  }
  state.ahead = state.waited = false;
  if (!alive) {
    if (had_process) lives_.SetTold(entry->first, asked);
    state.ended_engine_pid = 0;
    ForgetIfUnknown(entry);
  }
}

void SyncState::LookAgain(Entry& entry, absl::Time now) const {
  if (entry.exit_deadline != absl::InfiniteFuture()) entry.look_again = now + kLookAgain;
}

SyncActions SyncState::Inspected(uint64_t attempt, const ContainerId& id,
                                 absl::StatusOr<Sighting> sighting, absl::Time now) {
  SyncActions actions;
  const auto entry = entries_.find(id);
  if (attempt != attempt_ || !connected_ || entry == entries_.end()) return actions;
  Entry& state = entry->second;
  if (!state.inspecting) return actions;
  state.inspecting = false;
  // It ended between the engine's answer and the look at the process: the engine knows by now.
  const bool vanished = sighting.ok() && IsAlive(sighting->row.container.state()) &&
                        sighting->process != nullptr && sighting->process->Ended();
  const bool unfound = sighting.ok() && IsAlive(sighting->row.container.state()) &&
                       sighting->process == nullptr && sighting->process_error == "ESRCH";
  const bool overtaken = state.inspect_again || state.last_event > state.inspect_after;
  if (overtaken || vanished || (unfound && state.overtaken == 0)) {
    const bool enough = ++state.overtaken > kMaxOvertaken;
    if (sighting.ok() && lives_.Has(id)) state.partial = *sighting;
    if (!enough || vanished) {
      if (!enough) {
        RequestInspection(entry, &actions, now);
      } else {
        LookAgain(state, now);
        if (lives_.HasEnded(id)) TellLife(entry, nullptr, &actions, now);
        ForgetIfUnknown(entry);
      }
      return actions;
    }
  }
  state.overtaken = 0;
  const std::optional<Sighting> listed_since =
      state.partial.has_value() && state.partial_asked > state.inspect_asked ? state.partial
                                                                             : std::nullopt;
  if (!SettleLife(entry, sighting, &actions, now)) return actions;
  if (sighting.ok() && IsAhead(id, state, *sighting)) {
    state.ahead = true;
    if (state.exit_deadline == absl::InfiniteFuture()) {
      state.exit_deadline = now + options_.exit_grace;
    }
    LookAgain(state, now);
    return actions;
  }
  const bool kernel_asked = state.exit_deadline != absl::InfiniteFuture();
  if (kernel_asked && now < state.exit_deadline && !SaysHow(sighting)) {
    // Its event may be on the way.
    LookAgain(state, now);
    return actions;
  }
  if (sighting.ok()) {
    state.failed = 0;
    Show(entry, *sighting, state.inspect_asked, kernel_asked ? Change::process : Change::list,
         &actions, now);
  } else {
    TakeFailedInspection(entry, sighting.status(), &actions, now);
  }
  if (entries_.count(id) == 0) return actions;
  LookAgain(state, now);
  const bool outdated = listed_since.has_value() && !state.told.Agrees(listed_since->row);
  // Told although it was overtaken, so that somebody who changes all the time is seen at all.
  if (overtaken || outdated) RequestInspection(entry, &actions, now);
  return actions;
}

void SyncState::TakeFailedInspection(Entries::iterator entry, const absl::Status& status,
                                     SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  if (absl::IsNotFound(status)) {
    End(entry, {.source = Change::list, .now = now}, actions);
    state.ended_engine_pid = 0;
    return ForgetIfUnknown(entry);
  }
  if (++state.failed < kMaxFailedInspections) return RequestInspection(entry, actions, now);
  // The list alone then: that it is there, without its process.
  if (!state.partial.has_value() || state.told.has_process()) return ForgetIfUnknown(entry);
  Sighting partial = *state.partial;
  partial.process_error = absl::StatusCodeToString(status.code());
  Show(entry, partial, state.inspect_asked, Change::list, actions, now);
}

SyncActions SyncState::AttemptEnded(absl::Time now) {
  SyncActions actions;
  connected_ = false;
  listing_ = false;
  next_list_ = absl::InfiniteFuture();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    Entry& state = current->second;
    state.inspecting = state.inspect_again = false;
    state.overtaken = state.failed = 0;
    state.waited = false;
    if (lives_.HasEnded(current->first)) TellLife(current, nullptr, &actions, now);
    lives_.Forget(current->first);
    state.partial.reset();
    if (state.exit_deadline != absl::InfiniteFuture()) {
      End(current, {.source = Change::process, .now = now, .happened = now}, &actions);
    }
    ForgetIfUnknown(current);
  }
  return actions;
}

SyncActions SyncState::Tick(absl::Time now) {
  SyncActions actions;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    Entry& state = current->second;
    if (state.exit_deadline > now) {
      if (state.look_again > now) continue;
      state.look_again = absl::InfiniteFuture();
      RequestInspection(current, &actions, now);
      continue;
    }
    state.waited = state.ahead;
    if (lives_.Has(current->first) && !state.told.has_process()) {
      TellLife(current, nullptr, &actions, now);
    } else {
      End(current, {.source = Change::process, .now = now}, &actions);
    }
    // What was ahead is told now.
    if (state.waited) RequestInspection(current, &actions, now);
    ForgetIfUnknown(current);
  }
  if (now >= next_list_) {
    next_list_ = absl::InfiniteFuture();
    RequestList(&actions, now);
  }
  return actions;
}

absl::Time SyncState::next_tick() const {
  absl::Time next = connected_ && !listing_ ? next_list_ : absl::InfiniteFuture();
  for (const auto& [id, entry] : entries_) {
    next = std::min({next, entry.exit_deadline, entry.look_again});
  }
  return next;
}

SyncActions SyncState::EngineGone(absl::Time now) {
  SyncActions actions = AttemptEnded(now);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    const auto& process = current->second.told.process();
    if (process != nullptr && process->Ended()) {
      End(current, {.source = Change::process, .now = now}, &actions);
    }
    // What runs on without its engine has not ended; the kernel will say so.
    if (current->second.watch == 0) entries_.erase(current);
  }
  lives_ = ShortLives();
  return actions;
}

bool SyncState::in_sync() const {
  if (!connected_ || listing_ || answered_lists_ < (options_.replays ? 1 : 2)) return false;
  return std::none_of(entries_.begin(), entries_.end(),
                      [](const auto& entry) { return entry.second.inspecting; });
}

size_t SyncState::uninspected() const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second.failed >= kMaxFailedInspections;
  }));
}

std::vector<const ToldContainer*> SyncState::told() const {
  std::vector<const ToldContainer*> told;
  for (const auto& [id, entry] : entries_) {
    if (entry.told.container() != nullptr) told.push_back(&entry.told);
  }
  return told;
}

}  // namespace nsctl::engines
