#include "engines/told_container.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engines/container.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/message_differencer.h"

namespace nsctl::engines {
namespace {

using google::protobuf::util::MessageDifferencer;

void SetTime(absl::Time time, google::protobuf::Timestamp* timestamp) {
  const timespec parts = absl::ToTimespec(time);
  timestamp->set_seconds(parts.tv_sec);
  timestamp->set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

bool IsFrozen(const Container& container) {
  return container.state() == Container::paused || container.state() == Container::pausing;
}

Container WithProcess(const Sighting& sighting) {
  Container container = sighting.row.container;
  if (sighting.process != nullptr) {
    container.set_pid(sighting.process->pid());
    container.set_start_time(sighting.process->start_time());
    if (const auto inode = sighting.process->pidfd_inode(); inode.has_value()) {
      container.set_pidfd_inode(*inode);
    }
    // Where the engine does not say.
    const auto started = sighting.process->started_at();
    if (started.has_value() && !container.has_started_at()) {
      SetTime(*started, container.mutable_started_at());
    }
  }
  container.set_pid_error(sighting.process_error);
  return container;
}

// The processes are certainly two.
bool IsAnotherProcess(const Container& one, const Container& other) {
  if (one.pid() != 0 && other.pid() != 0) {
    return one.pid() != other.pid() || one.start_time() != other.start_time();
  }
  return one.engine_pid() != 0 && other.engine_pid() != 0 && one.engine_pid() != other.engine_pid();
}

// A list says less than an inspection. Of the same process, or none, what was known stays.
void KeepWhatIsNotSaid(const Container& known, Container* seen) {
  if (!seen->has_created_at() && known.has_created_at()) {
    *seen->mutable_created_at() = known.created_at();
  }
  if (!seen->has_started_at() && known.has_started_at()) {
    *seen->mutable_started_at() = known.started_at();
  }
  if (!seen->has_privileged() && known.has_privileged()) {
    seen->set_privileged(known.privileged());
  }
  if (seen->pid() == 0 && known.pid() != 0 && seen->engine_pid() == known.engine_pid()) {
    seen->set_pid(known.pid());
    seen->set_start_time(known.start_time());
    if (known.has_pidfd_inode()) seen->set_pidfd_inode(known.pidfd_inode());
    seen->clear_pid_error();
  }
  if (seen->image_id().empty()) seen->set_image_id(known.image_id());
  if (seen->runtime().empty()) seen->set_runtime(known.runtime());
  if (seen->cgroup().empty()) seen->set_cgroup(known.cgroup());
  if (seen->restart_count() == 0) seen->set_restart_count(known.restart_count());
}

bool SameLabels(const Labels& one, const Labels& other) {
  if (one.size() != other.size()) return false;
  for (int i = 0; i < one.size(); ++i) {
    if (one[i].name() != other[i].name() || one[i].value() != other[i].value()) return false;
  }
  return true;
}

}  // namespace

void ToldContainer::Tell(Change::Kind kind, const Cause& cause,
                         std::vector<Change>* changes) const {
  Change& change = changes->emplace_back();
  change.set_kind(kind);
  change.set_source(cause.source);
  if (cause.happened > absl::UnixEpoch()) {
    SetTime(cause.happened, change.mutable_happened_at());
  }
  SetTime(cause.now, change.mutable_received_at());
  *change.mutable_container() = *container_;
  if (pod_.has_value()) *change.mutable_pod() = *pod_;
}

void ToldContainer::EndProcess(const ExitFacts& facts, const Container* last, const Cause& cause,
                               std::vector<Change>* changes) {
  if (last != nullptr) {
    container_->set_state(last->state());
    if (last->has_exit_code()) container_->set_exit_code(last->exit_code());
    if (last->has_oom_killed()) container_->set_oom_killed(last->oom_killed());
    if (last->has_finished_at()) *container_->mutable_finished_at() = last->finished_at();
  } else {
    container_->set_state(Container::exited);
  }
  if (facts.exit_code.has_value()) container_->set_exit_code(*facts.exit_code);
  if (facts.oom_killed.has_value()) container_->set_oom_killed(*facts.oom_killed);
  Tell(has_process_ ? Change::exited : Change::updated, cause, changes);
  has_process_ = false;
  process_ = nullptr;
}

void ToldContainer::End(const ExitFacts& facts, const Cause& cause, std::vector<Change>* changes) {
  if (!container_.has_value()) return;
  EndProcess(facts, nullptr, cause, changes);
  container_.reset();
  pod_.reset();
}

void ToldContainer::ShowWithoutProcess(Container seen, const Cause& cause,
                                       std::vector<Change>* changes) {
  const bool told = container_.has_value();
  if (has_process_ || (told && seen.state() != Container::restarting)) {
    EndProcess({}, &seen, cause, changes);
  }
  if (seen.state() != Container::restarting) {
    container_.reset();
    pod_.reset();
    return;
  }
  if (told) KeepWhatIsNotSaid(*container_, &seen);
  // Of one that just ended it was told that it is between two processes.
  const bool news =
      !told || (container_->state() == Container::restarting && container_->pid() == 0 &&
                !MessageDifferencer::Equals(*container_, seen));
  container_ = std::move(seen);
  if (news) Tell(Change::updated, cause, changes);
}

void ToldContainer::Show(const Sighting& sighting, const Cause& cause,
                         std::vector<Change>* changes) {
  Container seen = WithProcess(sighting);
  if (!IsAlive(seen.state())) return ShowWithoutProcess(std::move(seen), cause, changes);

  const bool pod_is_news = ShowPod(sighting.row.pod);
  if (has_process_ && IsAnotherProcess(*container_, seen)) {
    EndProcess({}, nullptr, cause, changes);
  }
  if (!has_process_) {
    has_process_ = true;
    process_ = sighting.process;
    container_ = std::move(seen);
    return Tell(Change::started, cause, changes);
  }
  KeepWhatIsNotSaid(*container_, &seen);
  if (process_ == nullptr) process_ = sighting.process;
  if (!pod_is_news && MessageDifferencer::Equals(*container_, seen)) return;
  const bool was_frozen = IsFrozen(*container_);
  container_ = std::move(seen);
  const bool frozen = IsFrozen(*container_);
  Tell(frozen == was_frozen ? Change::updated
       : frozen             ? Change::paused
                            : Change::unpaused,
       cause, changes);
}

bool ToldContainer::ShowPod(const std::optional<Pod>& seen) {
  // An engine may know which pod it is before it can say what that is called.
  const bool says_less =
      seen.has_value() && pod_.has_value() && seen->id() == pod_->id() && seen->name().empty();
  if (says_less || (!seen.has_value() && !pod_.has_value())) return false;
  const bool same =
      seen.has_value() && pod_.has_value() && MessageDifferencer::Equals(*seen, *pod_);
  pod_ = seen;
  return !same;
}

void ToldContainer::SetPaused(bool paused, const Cause& cause, std::vector<Change>* changes) {
  if (!container_.has_value() || !has_process_ || IsFrozen(*container_) == paused) return;
  container_->set_state(paused ? Container::paused : Container::running);
  Tell(paused ? Change::paused : Change::unpaused, cause, changes);
}

bool ToldContainer::Agrees(const EngineRow& row) const {
  return container_.has_value() && container_->state() == row.container.state() &&
         container_->name() == row.container.name() &&
         SameLabels(container_->labels(), row.container.labels());
}

}  // namespace nsctl::engines
