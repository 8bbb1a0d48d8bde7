#include "engines/container_hub.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "google/protobuf/util/message_differencer.h"

namespace nsctl::engines {
namespace {

constexpr size_t kMaxGoneGuests = 1000;

// What `all` has of these engines.
Containers OnlyOf(const std::set<std::string>& keys, Containers all) {
  const auto keep = [&keys](auto* messages, const auto& key_of) {
    messages->erase(std::remove_if(messages->begin(), messages->end(),
                                   [&](const auto& one) { return !keys.contains(key_of(one)); }),
                    messages->end());
  };
  keep(all.mutable_engines(), [](const Engine& engine) { return engine.key(); });
  keep(all.mutable_containers(), [](const Container& container) { return container.engine(); });
  keep(all.mutable_pods(), [](const Pod& pod) { return pod.engine(); });
  keep(all.mutable_gaps(), [](const EngineGap& gap) { return gap.subject(); });
  return all;
}

// An engine that does not answer is connected to again and again: that is no news until it does.
bool IsSameForUser(const Engine& told, const Engine& engine) {
  Engine now = engine;
  if (told.state() == Engine::degraded &&
      (engine.state() == Engine::connecting || engine.state() == Engine::syncing)) {
    now.set_state(told.state());
    now.set_reason(told.reason());
  }
  return google::protobuf::util::MessageDifferencer::Equals(told, now);
}

}  // namespace

Change ContainerHub::NewChange(Change::Kind kind, absl::Time now) {
  Change change;
  change.set_kind(kind);
  const timespec parts = absl::ToTimespec(now);
  change.mutable_received_at()->set_seconds(parts.tv_sec);
  change.mutable_received_at()->set_nanos(static_cast<int32_t>(parts.tv_nsec));
  return change;
}

void ContainerHub::Apply(const Change& change) {
  const Container& container = change.container();
  const auto key = std::make_pair(container.engine(), IdOf(container));
  if (IsAlive(container.state()) || container.state() == Container::restarting) {
    Known& known = known_[key];
    known.container = container;
    known.pod.reset();
    if (change.has_pod()) known.pod = change.pod();
    if (change.kind() == Change::exited) {
      // Between two processes.
      known.container.set_pid(0);
      known.container.set_start_time(0);
      known.container.clear_pidfd_inode();
    }
  } else {
    known_.erase(key);
  }
}

void ContainerHub::PassOn(Change change) {
  change.set_revision(++revision_);
  queues_.erase(std::remove_if(queues_.begin(), queues_.end(),
                               [](const auto& queue) { return queue.expired(); }),
                queues_.end());
  const std::string& key =
      change.has_container() ? change.container().engine() : change.engine().key();
  const bool is_guest = IsGuest(key);
  for (const std::weak_ptr<Queue>& weak : queues_) {
    if (const auto queue = weak.lock(); queue != nullptr) {
      queue->changes.Push(change, key, is_guest);
    }
  }
}

bool ContainerHub::IsGuest(const std::string& key) const {
  // Those of places are told of, and nothing else.
  const auto found = told_engines_.find(key);
  if (found == told_engines_.end()) return gone_guests_.contains(key);
  return found->second.foreign() || !found->second.parent_container().empty();
}

bool ContainerHub::IsToldByDocker(const Change& change) const {
  const auto teller = engines_.find(change.container().engine());
  if (teller == engines_.end() || !IsDockers(change.container(), teller->second)) return false;
  // The daemon that is beside it: in the same container, or in none.
  return std::any_of(engines_.begin(), engines_.end(), [&teller](const auto& entry) {
    const Engine& engine = entry.second;
    return engine.type() == Engine::docker && engine.state() == Engine::ready &&
           engine.parent() == teller->second.parent() &&
           engine.parent_container() == teller->second.parent_container();
  });
}

// Engines that are gone may still tell of an end: the type is the first part of their keys.
int ContainerHub::DistanceOf(const std::string& key) const {
  const auto found = engines_.find(key);
  if (found != engines_.end()) return DistanceFromUser(found->second.type());
  Engine::Type type = Engine::unspecified;
  (void)Engine::Type_Parse(key.substr(0, key.find(':')), &type);
  return DistanceFromUser(type);
}

// Of what helper processes show, and of what LXC tells of containers that another engine has it
// run: whether one that is nearer to the user tells of the same process.
bool ContainerHub::IsToldAbove(int distance, const Change& change) const {
  const ToldProcesses::Id process = ToldProcesses::IdOf(change);
  if (distance < DistanceFromUser(Engine::lxc) || process.first == 0) return false;
  for (const auto& [id, known] : known_) {
    const Container& other = known.container;
    const bool is_same = other.pid() == process.first && other.start_time() == process.second;
    if (is_same && DistanceOf(id.first) < distance) return true;
  }
  return false;
}

bool ContainerHub::IsToldLocked(ToldProcesses::Id process) const {
  return process.first != 0 &&
         std::any_of(known_.begin(), known_.end(), [&process](const auto& known) {
           const Container& container = known.second.container;
           return container.pid() == process.first && container.start_time() == process.second;
         });
}

bool ContainerHub::IsTold(ToldProcesses::Id process) const {
  const absl::MutexLock lock(&mutex_);
  return IsToldLocked(process);
}

void ContainerHub::Publish(const std::string& key, std::vector<Change> changes) {
  if (changes.empty()) return;
  const absl::MutexLock lock(&mutex_);
  for (Change& change : changes) {
    change.mutable_container()->set_engine(key);
    if (change.has_pod()) change.mutable_pod()->set_engine(key);
    Apply(change);
    const bool ends = change.kind() == Change::exited;
    const ToldProcesses::Id process = ToldProcesses::IdOf(change);
    // One that outlived its daemon is ended by the next one, which never lists it.
    const bool is_last = ends && told_.IsRunning(process) && !IsToldLocked(process);
    if (IsToldByDocker(change) && !is_last) {
      if (ends) told_.Note(change);
      continue;
    }
    const int distance = DistanceOf(key);
    // Who else knows the process tells its end as well, and maybe its status.
    const bool is_told_elsewhere =
        ends ? !change.container().has_exit_code() && IsToldLocked(process)
             : IsToldAbove(distance, change);
    if (is_told_elsewhere) continue;
    Place(&change);
    if (!ends) told_.Take(distance, &change);
    if (ends && !told_.TakeEnd(distance, &change)) continue;
    PassOn(std::move(change));
  }
}

void ContainerHub::SetEngineLocked(Engine engine, absl::Time now) {
  const auto parent = parents_.find(engine.key());
  if (parent != parents_.end()) {
    engine.set_parent(parent->second.first);
    engine.set_parent_container(parent->second.second);
  }
  Engine& place = engines_[engine.key()];
  place = engine;
  TellEngine(engine, now);
}

void ContainerHub::TellEngine(const Engine& engine, absl::Time now) {
  const auto [told, is_untold] = told_engines_.try_emplace(engine.key());
  if (!is_untold && IsSameForUser(told->second, engine)) return;
  told->second = engine;
  Change change = NewChange(Change::engine_changed, now);
  *change.mutable_engine() = engine;
  PassOn(std::move(change));
}

void ContainerHub::SetEngine(const Engine& engine, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  SetEngineLocked(engine, now);
}

void ContainerHub::SetParents(const google::protobuf::RepeatedPtrField<Engine>& engines,
                              absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  for (const Engine& engine : engines) {
    const auto found = engines_.find(engine.key());
    if (found == engines_.end()) continue;
    parents_[engine.key()] = {engine.parent(), engine.parent_container()};
    SetEngineLocked(found->second, now);
  }
}

void ContainerHub::RemoveEngine(const std::string& key, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  const auto found = engines_.find(key);
  if (found == engines_.end()) return;
  const bool is_guest = IsGuest(key);
  Engine engine = std::move(found->second);
  engine.set_state(Engine::gone);
  if (is_guest) {
    if (gone_guests_.size() >= kMaxGoneGuests) gone_guests_.erase(gone_guests_.begin());
    gone_guests_.insert(key);
  }
  told_engines_.erase(key);
  engines_.erase(found);
  gaps_.erase(key);
  stopped_.erase(key);
  parents_.erase(key);
  for (auto known = known_.begin(); known != known_.end();) {
    known = known->first.first == key ? known_.erase(known) : std::next(known);
  }
  Change change = NewChange(Change::engine_gone, now);
  *change.mutable_engine() = std::move(engine);
  PassOn(std::move(change));
}

void ContainerHub::SetStopped(const std::string& key, Containers stopped) {
  for (Container& container : *stopped.mutable_containers()) container.set_engine(key);
  for (Pod& pod : *stopped.mutable_pods()) pod.set_engine(key);
  const absl::MutexLock lock(&mutex_);
  stopped_[key] = std::move(stopped);
}

void ContainerHub::SetGaps(const std::string& key, std::vector<EngineGap> gaps) {
  const absl::MutexLock lock(&mutex_);
  gaps_[key] = std::move(gaps);
}

Containers ContainerHub::Collect() const {
  Containers result;
  result.set_revision(revision_);
  for (const auto& [key, engine] : engines_) *result.add_engines() = engine;
  for (const auto& [key, gaps] : gaps_) {
    for (const EngineGap& gap : gaps) *result.add_gaps() = gap;
  }
  std::set<std::tuple<std::string, std::string, std::string>> pods;
  for (const auto& [key, known] : known_) {
    *result.add_containers() = known.container;
    if (!known.pod.has_value()) continue;
    if (pods.emplace(key.first, known.pod->native_namespace(), known.pod->id()).second) {
      *result.add_pods() = *known.pod;
    }
  }
  for (const auto& [key, stopped] : stopped_) {
    for (const Container& container : stopped.containers()) {
      if (known_.count({key, IdOf(container)}) == 0) *result.add_containers() = container;
    }
    for (const Pod& pod : stopped.pods()) {
      if (pods.emplace(key, pod.native_namespace(), pod.id()).second) *result.add_pods() = pod;
    }
  }
  return result;
}

Containers ContainerHub::Current() const {
  Containers result;
  {
    const absl::MutexLock lock(&mutex_);
    result = Collect();
  }
  MergeViews(&result);
  return result;
}

std::unique_ptr<ContainerHub::Subscription> ContainerHub::Subscribe(size_t max_queued) {
  auto queue = std::make_shared<Queue>(max_queued);
  std::unique_ptr<Subscription> subscription(new Subscription(this, queue));
  {
    const absl::MutexLock lock(&mutex_);
    queues_.push_back(queue);
    subscription->start_ = CollectPlaced();
  }
  MergeViews(&subscription->start_);
  return subscription;
}

void ContainerHub::Close() {
  const absl::MutexLock lock(&mutex_);
  closed_ = true;
}

absl::StatusOr<ContainerHub::Subscription::Batch> ContainerHub::Subscription::Next(
    absl::Time deadline) {
  struct Wanted {
    const ContainerHub* hub;
    const Queue* queue;
  };
  Wanted wanted = {hub_, queue_.get()};
  Batch batch;
  {
    const absl::MutexLock lock(&hub_->mutex_);
    const absl::Condition something(
        +[](Wanted* what) ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return what->hub->closed_ || !what->queue->changes.empty();
        },
        &wanted);
    if (!hub_->mutex_.AwaitWithDeadline(something, deadline)) {
      return absl::DeadlineExceededError("no change in time");
    }
    if (queue_->changes.empty()) return absl::CancelledError("closed");
    ChangeQueue::Taken taken = queue_->changes.Take();
    batch.changes = std::move(taken.changes);
    batch.lost_engines.assign(taken.lost.begin(), taken.lost.end());
    if (taken.lost_all) batch.current = hub_->CollectPlaced();
    if (!taken.lost.empty()) batch.current_of_lost = OnlyOf(taken.lost, hub_->CollectPlaced());
  }
  if (batch.current.has_value()) MergeViews(&*batch.current);
  return batch;
}

}  // namespace nsctl::engines
