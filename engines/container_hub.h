// What is known of all engines' containers now, and who wants to hear of changes.
//
// Watchers of engines publish; anybody reads what is known, at once, or subscribes. A subscriber
// gets everything that is known at one revision and each change after it, but for those that
// containerd tells of Docker's containers while Docker does as well. That a container started is
// told once of each process: where another engine tells of it later, such as the same one after a
// restart, that is an update. Its end is told once, too: where several engines know the process, by
// the first that can say how it ended, or by the last. A subscriber that is too slow loses its
// changes, not anybody's time: it is told to take what is known anew.
//
// Thread-safe.

#ifndef NSCTL_ENGINES_CONTAINER_HUB_H_
#define NSCTL_ENGINES_CONTAINER_HUB_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/change_queue.h"
#include "engines/container.h"
#include "engines/told_processes.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::engines {

class ContainerHub {
 private:
  struct Queue;

 public:
  class Subscription {
   public:
    // What was known when it was made; changes follow from its revision on.
    const Containers& start() const { return start_; }

    struct Batch {
      // In order; without gaps in revisions where none were lost.
      std::vector<Change> changes;
      // Changes were lost: `current` is what is known now, and changes follow from there.
      std::optional<Containers> current;
      // Changes of these engines alone were lost, by key, and what is known now of those that are
      // not gone.
      std::vector<std::string> lost_engines;
      Containers current_of_lost;
    };
    // Waits for at least one change. Errors: DEADLINE_EXCEEDED; CANCELLED once the hub is closed
    // and all was given.
    absl::StatusOr<Batch> Next(absl::Time deadline);

   private:
    friend ContainerHub;
    Subscription(ContainerHub* hub, std::shared_ptr<Queue> queue)
        : hub_(hub), queue_(std::move(queue)) {}

    ContainerHub* hub_;
    std::shared_ptr<Queue> queue_;
    Containers start_;
  };

  // Applies and passes on `changes` of containers of the engine `key`, setting their `engine` and
  // `revision`.
  void Publish(const std::string& key, std::vector<Change> changes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Adds an engine, or tells what is new about it. Nothing where that is nothing.
  void SetEngine(const Engine& engine, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells which containers engines run in: Engine.parent and parent_container of those in
  // `engines`, whatever SetEngine says.
  void SetParents(const google::protobuf::RepeatedPtrField<Engine>& engines, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Of processes that evidence tells of: the engines that they are told of instead, as they are in
  // containers. Kept for as long as evidence tells of them.
  using Places = std::map<ToldProcesses::Id, Engine>;
  void AddPlaces(const Places& places, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets it, its containers and gaps.
  void RemoveEngine(const std::string& key, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // Replaces the engine's containers, and their pods, that do not run: nothing is told of them, and
  // Current() has those of which nobody says that they run.
  void SetStopped(const std::string& key, Containers stopped) ABSL_LOCKS_EXCLUDED(mutex_);
  // Replaces the gaps that are the engine's.
  void SetGaps(const std::string& key, std::vector<EngineGap> gaps) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether an engine that is not gone tells of this process (PID and start time).
  bool IsTold(ToldProcesses::Id process) const ABSL_LOCKS_EXCLUDED(mutex_);

  // What is known, each process once (MergeViews), in the stated orders. Containers of evidence are
  // evidence's, wherever they are.
  Containers Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The subscription must not outlive the hub; what it does not take of at most `max_queued`
  // changes is lost.
  std::unique_ptr<Subscription> Subscribe(size_t max_queued = 10'000) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends all waiting subscribers.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Queue {
    explicit Queue(size_t max_queued) : changes(max_queued) {}

    ChangeQueue changes;
  };
  struct Known {
    Container container;
    std::optional<Pod> pod;
  };

  // Has what evidence tells of told of the engine of its place.
  void Place(Change* change) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Tells of engines of places that there are none any more.
  void ForgetPlaces(const Places& added, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsEvidence(const std::string& key) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  static Change NewChange(Change::Kind kind, absl::Time now);
  // Nothing where that is nothing new.
  void TellEngine(const Engine& engine, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetEngineLocked(Engine engine, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const Change& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsToldByDocker(const Change& change) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool IsToldAbove(int distance, const Change& change) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  int DistanceOf(const std::string& key) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool IsToldLocked(ToldProcesses::Id process) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // Of an engine that is not the host's own.
  bool IsGuest(const std::string& key) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void PassOn(Change change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Containers CollectPlaced() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  Containers Collect() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Engine> engines_ ABSL_GUARDED_BY(mutex_);
  // By key, parent and container.
  std::map<std::string, std::pair<std::string, std::string>> parents_ ABSL_GUARDED_BY(mutex_);
  // Of those that are gone, whose ends of containers may follow.
  std::set<std::string> gone_guests_ ABSL_GUARDED_BY(mutex_);
  // As last told, by key.
  std::map<std::string, Engine> told_engines_ ABSL_GUARDED_BY(mutex_);
  Places places_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<EngineGap>> gaps_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, ContainerId>, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Containers> stopped_ ABSL_GUARDED_BY(mutex_);
  ToldProcesses told_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Queue>> queues_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CONTAINER_HUB_H_
