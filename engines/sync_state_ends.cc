// How SyncState tells that containers ended, and in which order with what came next. All else of
// it is in sync_state.cc.

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/sync_state.h"
#include "engines/told_container.h"

namespace nsctl::engines {

// What ended is not told, and this is not of one before it, whatever was learnt meanwhile.
bool SyncState::IsOfEndedProcess(const Entry& entry, const EngineEvent& event) const {
  const auto& process = entry.told.process();
  return process != nullptr && entry.born != absl::InfinitePast() && event.time >= entry.born &&
         process->Ended();
}

// Whether an answer shows a process although the stream owes the end of one before it, or its own
// start.
bool SyncState::IsAhead(const ContainerId& id, const Entry& entry, const Sighting& sighting) const {
  const auto& next = sighting.process;
  const bool may_wait = options_.exit_grace > absl::ZeroDuration() && !entry.waited;
  if (!may_wait || next == nullptr || !IsAlive(sighting.row.container.state())) return false;
  if (sighting.born == absl::InfinitePast()) return false;
  if (const auto& process = entry.told.process(); process != nullptr) {
    const bool is_same =
        process->pid() == next->pid() && process->start_time() == next->start_time();
    // Otherwise it is passed: it told the start, and lost the end.
    return !is_same && process->Ended() && entry.start_heard < sighting.born;
  }
  // An engine that dates its events.
  if (last_event_time_ == absl::InfinitePast()) return false;
  return lives_.StartOf(id) < sighting.born || (entry.had_end && entry.start_heard < sighting.born);
}

void SyncState::TakeExitEvent(Entries::iterator entry, const EngineEvent& event,
                              SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  // Of an earlier process, whose end was told.
  if (state.told.process() != nullptr && event.time != absl::InfinitePast() &&
      event.time < state.born) {
    return;
  }
  if (!state.told.has_process() && lives_.Has(entry->first)) {
    if (event.kind == EngineEvent::Kind::kExited) lives_.End(event);
    // An inspection under way knows more of it.
    if (state.inspecting) return;
    if (state.ahead) RequestInspection(entry, actions, now);
    TellLife(entry, nullptr, actions, now);
  }
  const Container* const told = state.told.container();
  if (told == nullptr) return ForgetIfUnknown(entry);
  const bool of_another = event.engine_pid.has_value() && told->engine_pid() != 0 &&
                          *event.engine_pid != told->engine_pid();
  const bool ended = state.told.process() != nullptr
                         ? state.told.process()->Ended()
                         // Nobody can say better than the engine.
                         : AgeOf(state, event) == EventAge::kNews && state.told.has_process();
  if (of_another || !ended) {
    // Of an earlier process, or of one between two; or the engine errs.
    if (event.kind == EngineEvent::Kind::kRemoved || !of_another) {
      RequestInspection(entry, actions, now);
    }
    return;
  }
  state.exit_facts = {.exit_code = event.exit_code, .oom_killed = event.oom_killed};
  // It may be between two processes, or have the next one already.
  RequestInspection(entry, actions, now);
  End(entry, {.source = Change::event, .now = now, .happened = event.time}, actions);
}

void SyncState::End(Entries::iterator entry, const Cause& cause, SyncActions* actions) {
  Entry& state = entry->second;
  if (state.told.process() != nullptr && state.told.process()->Ended()) {
    state.ended_engine_pid = state.told.container()->engine_pid();
  }
  // Starts after that are of other processes.
  absl::Time ended = cause.happened;
  if (ended == absl::InfinitePast()) {
    const bool noticed = state.exit_deadline != absl::InfiniteFuture();
    ended = noticed ? std::min(cause.now, state.exit_deadline - options_.exit_grace) : cause.now;
  }
  if (state.told.has_process()) lives_.SetTold(entry->first, ended);
  state.had_end = state.had_end || state.told.has_process();
  state.ahead = false;
  state.told.End(state.exit_facts, cause, &actions->changes);
  WatchProcess(entry, actions);
}

void SyncState::TellLife(Entries::iterator entry, const EngineRow* row, SyncActions* actions,
                         absl::Time now) {
  Entry& state = entry->second;
  EngineRow known;
  if (row == nullptr && state.partial.has_value()) row = &state.partial->row;
  if (row == nullptr && state.told.container() != nullptr) {
    known.container = *state.told.container();
    known.pod = state.told.pod();
    row = &known;
  }
  lives_.Tell(entry->first, row, now, &actions->changes);
  state.partial.reset();
  state.had_end = true;
  state.ahead = false;
  state.exit_deadline = state.look_again = absl::InfiniteFuture();
}

// An answer about a container whose start was heard of and whose process was not seen. False where
// how it ended is awaited.
bool SyncState::SettleLife(Entries::iterator entry, const absl::StatusOr<Sighting>& sighting,
                           SyncActions* actions, absl::Time now) {
  Entry& state = entry->second;
  if (state.told.has_process() || !lives_.Has(entry->first)) return true;
  if (!sighting.ok() && !absl::IsNotFound(sighting.status())) return true;
  if (sighting.ok() && IsAlive(sighting->row.container.state()) && !lives_.HasEnded(entry->first)) {
    return true;
  }
  const bool says_how = sighting.ok() && sighting->row.container.state() == Container::exited &&
                        sighting->row.container.has_exit_code();
  if (!says_how && !lives_.HasEnded(entry->first)) {
    // Its event is on the way.
    if (state.exit_deadline == absl::InfiniteFuture()) {
      state.exit_deadline = now + options_.exit_grace;
    }
    LookAgain(state, now);
    return false;
  }
  TellLife(entry, sighting.ok() ? &sighting->row : nullptr, actions, now);
  return true;
}

SyncActions SyncState::ProcessEnded(uint64_t watch, absl::Time now) {
  SyncActions actions;
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return actions;
  const auto entry = entries_.find(found->second);
  Entry& state = entry->second;
  actions.unwatch.push_back(watch);
  watches_.erase(found);
  state.watch = 0;
  // Nobody can say how it ended.
  if (!connected_ || options_.exit_grace <= absl::ZeroDuration()) {
    End(entry, {.source = Change::process, .now = now, .happened = now}, &actions);
    ForgetIfUnknown(entry);
    return actions;
  }
  state.exit_deadline = now + options_.exit_grace;
  // What was asked before does not show it.
  state.last_event = ++events_;
  RequestInspection(entry, &actions, now);
  return actions;
}

}  // namespace nsctl::engines
