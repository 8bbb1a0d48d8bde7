// How SyncState takes in whole lists. All else of it is in sync_state.cc.

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/sync_state.h"
#include "engines/told_container.h"

namespace nsctl::engines {
namespace {

constexpr int kMaxFailedLists = 2;

bool MayHaveProcess(const EngineRow& row) {
  return IsAlive(row.container.state()) || row.container.state() == Container::unknown;
}

// Its process ended, or was not found, between the engine's answer and the look at it. One that was
// told without its process is not looked for again.
bool MayHaveEnded(const Sighting& row, const ToldContainer& told) {
  if (row.process != nullptr) return row.process->Ended();
  if (!IsAlive(row.row.container.state()) || row.process_error != "ESRCH") return false;
  return !told.has_process() || told.container()->engine_pid() != row.row.container.engine_pid();
}

}  // namespace

void SyncState::RequestList(SyncActions* actions, absl::Time now) {
  if (!connected_) return;
  if (listing_ || (lists_of_attempt_ > 1 && now < list_asked_ + options_.list_interval)) {
    next_list_ = std::min(next_list_, std::max(now, list_asked_ + options_.list_interval));
    return;
  }
  listing_ = true;
  ++lists_;
  ++lists_of_attempt_;
  list_after_ = events_;
  list_asked_ = now;
  next_list_ = now + options_.audit_interval;
  actions->list = true;
}

SyncActions SyncState::Listed(uint64_t attempt, absl::StatusOr<std::vector<Sighting>> list,
                              absl::Time now) {
  SyncActions actions;
  if (attempt != attempt_ || !connected_ || !listing_) return actions;
  listing_ = false;
  if (!list.ok()) {
    if (lists_of_attempt_ == 1 || ++failed_lists_ >= kMaxFailedLists) {
      actions.give_up = list.status();
    } else {
      next_list_ = std::min(next_list_, now + options_.list_interval);
    }
    return actions;
  }
  failed_lists_ = 0;
  duplicates_ = 0;
  ++answered_lists_;
  for (Sighting& row : *list) TakeRow(std::move(row), &actions, now);
  TakeUnlisted(&actions, now);
  // Events may have been lost between the acceptance of the subscription and its begin; all that
  // happened since the first list's answer is certainly heard.
  if (lists_of_attempt_ == 1 && !options_.replays) RequestList(&actions, now);
  return actions;
}

void SyncState::TakeRow(Sighting row, SyncActions* actions, absl::Time now) {
  const auto [entry, is_new] = entries_.try_emplace(IdOf(row.row.container));
  Entry& state = entry->second;
  if (state.listed == lists_) {
    ++duplicates_;
    return;
  }
  state.listed = lists_;
  state.failed = 0;
  if (state.last_event > list_after_) {
    if (row.row.partial) state.partial = std::move(row);
    if (!state.inspecting) RequestInspection(entry, actions, now);
    return;
  }
  if (!row.row.partial) {
    if (MayHaveEnded(row, state.told)) {
      state.partial = std::move(row);
      return RequestInspection(entry, actions, now);
    }
    if (IsAhead(entry->first, state, row)) return RequestInspection(entry, actions, now);
    return Show(entry, row, list_asked_, Change::list, actions, now);
  }
  const auto& process = state.told.process();
  if (process != nullptr && !process->Ended() && state.told.Agrees(row.row)) {
    state.confirmed = list_asked_;
    return;
  }
  if (!MayHaveProcess(row.row)) {
    return Show(entry, row, list_asked_, Change::list, actions, now);
  }
  state.partial = std::move(row);
  state.partial_asked = list_asked_;
  // What is asked already is compared with the row when it is answered.
  if (!state.inspecting) RequestInspection(entry, actions, now);
}

void SyncState::TakeUnlisted(SyncActions* actions, absl::Time now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    Entry& state = current->second;
    if (state.listed == lists_ || state.last_event > list_after_) {
      // Ended while the list was made, as its event said.
      ForgetIfUnknown(current);
      continue;
    }
    state.ended_engine_pid = 0;
    if (state.told.container() != nullptr) {
      RequestInspection(current, actions, now);
    } else {
      ForgetIfUnknown(current);
    }
  }
}

}  // namespace nsctl::engines
