// A SyncState and the engine that it watches, both in the hands of a test: what is true, which
// events arrive and when requests are answered, step by step.

#ifndef NSCTL_ENGINES_SYNC_SCENE_H_
#define NSCTL_ENGINES_SYNC_SCENE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/fake_process.h"
#include "engines/sync_state.h"

namespace nsctl::engines {

class SyncScene {
 public:
  using Kind = EngineEvent::Kind;

  explicit SyncScene(SyncOptions options = {.replays = true});

  // The engine: what happens there makes an event, which is returned and waits to be delivered.
  EngineEvent Start(const std::string& id);
  EngineEvent Die(const std::string& id, int32_t exit_code = 0);
  EngineEvent Pause(const std::string& id);
  EngineEvent Unpause(const std::string& id);
  EngineEvent Rename(const std::string& id, const std::string& name);
  EngineEvent Remove(const std::string& id);
  // Lists show no PIDs, as Docker's.
  void SetPartialLists(bool partial) { partial_lists_ = partial; }

  // The watcher.
  void Connect();
  // Starts a container, connects and answers until all is in sync; nothing is left to be told.
  void SyncWith(const std::string& id);
  void Disconnect();
  void LoseEngine() { Take(state_->EngineGone(now_)); }
  void Deliver(const EngineEvent& event);
  // The kernel tells of all watched processes that ended.
  void DeliverExits();
  // The engine reads its state for the answer to the oldest list or inspection that was asked for;
  // it arrives with Answer, or with the calls that do both.
  void ReadList();
  void AnswerList();
  void FailList(const absl::Status& status);
  bool ReadInspection(const std::string& id);
  void AnswerInspection(const std::string& id);
  void FailInspection(const std::string& id, const absl::Status& status);
  // Answers whatever is asked until nothing is.
  void AnswerAll();
  void Wait(absl::Duration time);

  SyncState& state() { return *state_; }
  absl::Time now() const { return now_; }
  bool list_asked() const { return lists_asked_ > 0; }
  int lists() const { return lists_; }
  int inspections() const { return inspections_; }
  bool inspection_asked(const std::string& id) const;
  const absl::Status& give_up() const { return give_up_; }

  // All changes since the last call: "started web 100", "exited web 100 137", "paused web".
  std::vector<std::string> TakeChanges();
  // What is told: "web 100 running".
  std::vector<std::string> Told() const;
  // What is true, in the same words.
  std::vector<std::string> Truth() const;

 private:
  struct ContainerTruth {
    std::string name;
    Container::State state = Container::created;
    std::shared_ptr<FakeProcess> process;
    int32_t exit_code = 0;
  };

  EngineEvent Happen(Kind kind, const std::string& id);
  std::optional<EngineRow> RowOf(const std::string& id) const;
  Sighting Look(EngineRow row);
  void Take(SyncActions actions);

  std::unique_ptr<SyncState> state_;
  FakeProcesses processes_;
  // When each was made, by PID.
  std::map<int64_t, absl::Time> born_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  bool partial_lists_ = false;
  std::map<std::string, ContainerTruth> truth_;
  int lists_asked_ = 0;
  int lists_ = 0;
  int inspections_ = 0;
  std::optional<std::vector<EngineRow>> list_;
  std::map<std::string, std::optional<absl::StatusOr<EngineRow>>> inspections_asked_;
  std::map<uint64_t, std::shared_ptr<const ContainerProcess>> watches_;
  std::vector<Change> changes_;
  absl::Status give_up_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_SYNC_SCENE_H_
