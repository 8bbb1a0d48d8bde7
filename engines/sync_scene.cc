#include "engines/sync_scene.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/sync_state.h"
#include "engines/told_container.h"

namespace nsctl::engines {
namespace {

// Longer than what is unclear about times.
constexpr absl::Duration kStep = absl::Milliseconds(200);

std::string Describe(const Container& container) {
  return absl::StrCat(container.name(), " ", container.pid(), " ", StateName(container.state()));
}

}  // namespace

SyncScene::SyncScene(SyncOptions options) : state_(std::make_unique<SyncState>(options)) {}

EngineEvent SyncScene::Happen(Kind kind, const std::string& id) {
  now_ += kStep;
  return {.kind = kind, .container = {.native_namespace = "", .id = id}, .time = now_};
}

EngineEvent SyncScene::Start(const std::string& id) {
  ContainerTruth& truth = truth_[id];
  if (truth.name.empty()) truth.name = id;
  truth.process = processes_.Start();
  // It is not told at once.
  born_[truth.process->pid()] = now_ + kStep / 2;
  truth.state = Container::running;
  return Happen(Kind::kStarted, id);
}

EngineEvent SyncScene::Die(const std::string& id, int32_t exit_code) {
  ContainerTruth& truth = truth_[id];
  if (truth.process != nullptr) truth.process->End();
  truth.process = nullptr;
  truth.state = Container::exited;
  truth.exit_code = exit_code;
  EngineEvent event = Happen(Kind::kExited, id);
  event.exit_code = exit_code;
  return event;
}

EngineEvent SyncScene::Pause(const std::string& id) {
  truth_[id].state = Container::paused;
  return Happen(Kind::kPaused, id);
}

EngineEvent SyncScene::Unpause(const std::string& id) {
  truth_[id].state = Container::running;
  return Happen(Kind::kUnpaused, id);
}

EngineEvent SyncScene::Rename(const std::string& id, const std::string& name) {
  truth_[id].name = name;
  return Happen(Kind::kUpdated, id);
}

EngineEvent SyncScene::Remove(const std::string& id) {
  truth_.erase(id);
  return Happen(Kind::kRemoved, id);
}

std::optional<EngineRow> SyncScene::RowOf(const std::string& id) const {
  const auto found = truth_.find(id);
  if (found == truth_.end()) return std::nullopt;
  EngineRow row;
  row.container.set_id(id);
  row.container.set_name(found->second.name);
  row.container.set_state(found->second.state);
  if (found->second.process != nullptr) {
    row.container.set_engine_pid(found->second.process->pid());
  } else {
    row.container.set_exit_code(found->second.exit_code);
  }
  return row;
}

Sighting SyncScene::Look(EngineRow row) {
  Sighting sighting;
  if (row.container.engine_pid() != 0) {
    const auto process = processes_.Find(row.container.engine_pid());
    if (process.ok()) {
      sighting.process = *process;
      sighting.born = born_[(*process)->pid()];
    } else {
      sighting.process_error = base::ErrnoName(base::ErrnoOf(process.status()));
    }
  }
  sighting.row = std::move(row);
  return sighting;
}

void SyncScene::Take(SyncActions actions) {
  for (Change& change : actions.changes) changes_.push_back(std::move(change));
  if (actions.list) ++lists_asked_;
  for (const ContainerId& id : actions.inspect) {
    ++inspections_;
    inspections_asked_[id.id].reset();
  }
  for (const auto& watch : actions.watch) watches_[watch.number] = watch.process;
  for (const uint64_t number : actions.unwatch) watches_.erase(number);
  if (!actions.give_up.ok()) give_up_ = actions.give_up;
}

void SyncScene::Connect() {
  give_up_ = absl::OkStatus();
  state_->BeginAttempt(now_);
  Take(state_->Subscribed(now_));
}

void SyncScene::SyncWith(const std::string& id) {
  Start(id);
  Connect();
  AnswerAll();
  TakeChanges();
}

void SyncScene::Disconnect() {
  Take(state_->AttemptEnded(now_));
  lists_asked_ = 0;
  list_.reset();
  inspections_asked_.clear();
}

void SyncScene::Deliver(const EngineEvent& event) { Take(state_->Event(event, now_)); }

void SyncScene::DeliverExits() {
  std::vector<uint64_t> ended;
  for (const auto& [number, process] : watches_) {
    if (process->Ended()) ended.push_back(number);
  }
  for (const uint64_t number : ended) Take(state_->ProcessEnded(number, now_));
}

void SyncScene::ReadList() {
  now_ += kStep;
  list_.emplace();
  for (const auto& [id, truth] : truth_) {
    if (truth.process == nullptr) continue;
    EngineRow row = *RowOf(id);
    row.partial = partial_lists_;
    if (partial_lists_) row.container.clear_engine_pid();
    list_->push_back(std::move(row));
  }
}

void SyncScene::AnswerList() {
  if (!list_.has_value()) ReadList();
  std::vector<Sighting> list;
  for (EngineRow& row : *list_) list.push_back(Look(std::move(row)));
  list_.reset();
  --lists_asked_;
  ++lists_;
  Take(state_->Listed(state_->attempt(), std::move(list), now_));
}

void SyncScene::FailList(const absl::Status& status) {
  list_.reset();
  --lists_asked_;
  Take(state_->Listed(state_->attempt(), status, now_));
}

bool SyncScene::inspection_asked(const std::string& id) const {
  return inspections_asked_.count(id) > 0;
}

bool SyncScene::ReadInspection(const std::string& id) {
  const auto found = inspections_asked_.find(id);
  if (found == inspections_asked_.end()) return false;
  now_ += kStep;
  const std::optional<EngineRow> row = RowOf(id);
  found->second = row.has_value() ? absl::StatusOr<EngineRow>(*row)
                                  : absl::StatusOr<EngineRow>(absl::NotFoundError("gone"));
  return true;
}

void SyncScene::AnswerInspection(const std::string& id) {
  if (!inspections_asked_[id].has_value()) ReadInspection(id);
  const absl::StatusOr<EngineRow> row = *inspections_asked_[id];
  inspections_asked_.erase(id);
  const ContainerId container = {.native_namespace = "", .id = id};
  if (row.ok()) {
    Take(state_->Inspected(state_->attempt(), container, Look(*row), now_));
  } else {
    Take(state_->Inspected(state_->attempt(), container, row.status(), now_));
  }
}

void SyncScene::FailInspection(const std::string& id, const absl::Status& status) {
  inspections_asked_.erase(id);
  Take(state_->Inspected(state_->attempt(), {.native_namespace = "", .id = id}, status, now_));
}

void SyncScene::AnswerAll() {
  while (lists_asked_ > 0 || !inspections_asked_.empty()) {
    if (lists_asked_ > 0) AnswerList();
    if (!inspections_asked_.empty()) {
      AnswerInspection(std::string(inspections_asked_.begin()->first));
    }
  }
}

void SyncScene::Wait(absl::Duration time) {
  now_ += time;
  if (state_->next_tick() <= now_) Take(state_->Tick(now_));
}

std::vector<std::string> SyncScene::TakeChanges() {
  std::vector<std::string> texts;
  for (const Change& change : changes_) {
    const Container& container = change.container();
    std::string text = absl::StrCat(Change::Kind_Name(change.kind()), " ", container.name());
    if (change.kind() == Change::started || change.kind() == Change::exited) {
      absl::StrAppend(&text, " ", container.pid());
    }
    if (change.kind() == Change::exited && container.has_exit_code()) {
      absl::StrAppend(&text, " ", container.exit_code());
    }
    if (change.kind() == Change::started && container.state() != Container::running) {
      absl::StrAppend(&text, " ", StateName(container.state()));
    }
    texts.push_back(std::move(text));
  }
  changes_.clear();
  return texts;
}

std::vector<std::string> SyncScene::Told() const {
  std::vector<std::string> texts;
  for (const ToldContainer* told : state_->told()) texts.push_back(Describe(*told->container()));
  return texts;
}

std::vector<std::string> SyncScene::Truth() const {
  std::vector<std::string> texts;
  for (const auto& [id, truth] : truth_) {
    if (truth.process == nullptr) continue;
    texts.push_back(
        absl::StrCat(truth.name, " ", truth.process->pid(), " ", StateName(truth.state)));
  }
  return texts;
}

}  // namespace nsctl::engines
