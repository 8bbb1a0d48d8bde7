// Keeps what is known of one engine's containers right while they change: which answer is newer,
// what has to be asked again, what is told. No threads, no clock, no I/O: inputs come with their
// time, and what is to be done comes out as actions. engine_watcher.h runs it.
//
// Events are hints. A list or an inspection shows a moment between its request and its answer, so
// it counts where nothing was heard of the container since the request; otherwise the container is
// inspected once more. That an initial process ended is the kernel's word (its pidfd), not the
// engine's. So nothing depends on the order in which events and answers arrive, and what happens
// twice, late or not at all is put right by the next list.
//
// A container that is restarted has one process after another. The kernel says when each was made,
// and an event is of the last one that was made before it. An answer may be ahead of the stream:
// where it shows a process whose predecessor's end, or whose start, is still to be heard of, it
// waits for them a while, so that each is told, in order, and how it ended.
//
// An attempt is one connection: a subscription, a list, what follows. Answers of an earlier attempt
// are dropped. What was told stays told between attempts, so that a new one tells differences.

#ifndef NSCTL_ENGINES_SYNC_STATE_H_
#define NSCTL_ENGINES_SYNC_STATE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/short_lives.h"
#include "engines/told_container.h"

namespace nsctl::engines {

struct SyncOptions {
  // EngineClient::replays.
  bool replays = false;
  // Between lists that look whether anything was missed.
  absl::Duration audit_interval = absl::Minutes(5);
  // How long the engine may take to say how a process ended that the kernel says ended: so much
  // later the end is told at most. Zero where nobody can say.
  absl::Duration exit_grace = absl::Seconds(1);
  // What is shown without a process that can be found is no container: nobody but its processes
  // tells of it.
  bool only_with_process = false;
  // Lists that were asked for because events were lost are at least so far apart.
  absl::Duration list_interval = absl::Seconds(1);
};

// What is to be done, in no order.
struct SyncActions {
  std::vector<Change> changes;
  bool list = false;
  std::vector<ContainerId> inspect;
  // Watch these processes, each under its number; call ProcessEnded.
  struct ProcessWatch {
    uint64_t number = 0;
    std::shared_ptr<const ContainerProcess> process;
  };
  std::vector<ProcessWatch> watch;
  std::vector<uint64_t> unwatch;
  // The attempt failed: end its calls, call AttemptEnded, and begin another one later.
  absl::Status give_up;
};

class SyncState {
 public:
  explicit SyncState(SyncOptions options) : options_(options) {}

  // As SyncOptions::replays, from the next attempt's Subscribed on.
  void set_replays(bool replays) { options_.replays = replays; }

  // Begins an attempt; the time from which on its subscription has to replay.
  absl::Time BeginAttempt(absl::Time now);
  uint64_t attempt() const { return attempt_; }

  SyncActions Subscribed(absl::Time now);
  SyncActions Event(const EngineEvent& event, absl::Time now);
  // The answers to SyncActions::list and inspect of the attempt numbered so.
  SyncActions Listed(uint64_t attempt, absl::StatusOr<std::vector<Sighting>> list, absl::Time now);
  SyncActions Inspected(uint64_t attempt, const ContainerId& id, absl::StatusOr<Sighting> sighting,
                        absl::Time now);
  SyncActions ProcessEnded(uint64_t watch, absl::Time now);
  // The stream ended, or its calls were given up.
  SyncActions AttemptEnded(absl::Time now);
  // At next_tick() or later.
  SyncActions Tick(absl::Time now);
  absl::Time next_tick() const;
  // The engine is gone for good. Of its containers that run on the end is still told, and nothing
  // else: told() has them until then.
  SyncActions EngineGone(absl::Time now);

  // A whole list was taken in and nothing is left to ask.
  bool in_sync() const;
  // Containers that the engine showed and would not let inspect, and those it lists twice.
  size_t uninspected() const;
  size_t duplicates() const { return duplicates_; }

  // What is told now, by id.
  std::vector<const ToldContainer*> told() const;

 private:
  struct Entry {
    ToldContainer told;
    // Number of the last event about it, and of what was known when the inspection was asked for.
    uint64_t last_event = 0;
    uint64_t inspect_after = 0;
    absl::Time inspect_asked;
    bool inspecting = false;
    bool inspect_again = false;
    // Inspections in a row whose answers were overtaken.
    int overtaken = 0;
    int failed = 0;
    // All that happened before this is in what was told.
    absl::Time confirmed = absl::InfinitePast();
    uint64_t listed = 0;
    // As last listed, where that says less than an inspection would.
    std::optional<Sighting> partial;
    absl::Time partial_asked;
    uint64_t watch = 0;
    // Of the watched process, which ended: until when the engine may say how.
    absl::Time exit_deadline = absl::InfiniteFuture();
    // Of the watched process; and the last start that was heard of.
    absl::Time born = absl::InfinitePast();
    absl::Time start_heard = absl::InfinitePast();
    // The end of a process of it was told.
    bool had_end = false;
    // An answer was ahead of the stream, which has until `exit_deadline`; and it had its time.
    bool ahead = false;
    bool waited = false;
    // When to ask an engine that has not noticed.
    absl::Time look_again = absl::InfiniteFuture();
    ExitFacts exit_facts;
    // The engine's number of a process that the kernel said ended, and the engine says runs.
    int64_t ended_engine_pid = 0;
  };
  using Entries = std::map<ContainerId, Entry>;

  enum class EventAge { kKnown, kUnclear, kNews };
  EventAge AgeOf(const Entry& entry, const EngineEvent& event) const;
  bool IsOfEndedProcess(const Entry& entry, const EngineEvent& event) const;
  bool IsAhead(const ContainerId& id, const Entry& entry, const Sighting& sighting) const;

  void RequestList(SyncActions* actions, absl::Time now);
  void RequestInspection(Entries::iterator entry, SyncActions* actions, absl::Time now);
  void TakeExitEvent(Entries::iterator entry, const EngineEvent& event, SyncActions* actions,
                     absl::Time now);
  void TakePauseEvent(Entries::iterator entry, const EngineEvent& event, SyncActions* actions,
                      absl::Time now);
  void TakeRow(Sighting row, SyncActions* actions, absl::Time now);
  void TakeUnlisted(SyncActions* actions, absl::Time now);
  void TakeFailedInspection(Entries::iterator entry, const absl::Status& status,
                            SyncActions* actions, absl::Time now);
  void Show(Entries::iterator entry, const Sighting& sighting, absl::Time asked,
            Change::Source source, SyncActions* actions, absl::Time now);
  void End(Entries::iterator entry, const Cause& cause, SyncActions* actions);
  void TellLife(Entries::iterator entry, const EngineRow* row, SyncActions* actions,
                absl::Time now);
  bool SettleLife(Entries::iterator entry, const absl::StatusOr<Sighting>& sighting,
                  SyncActions* actions, absl::Time now);
  void LookAgain(Entry& entry, absl::Time now) const;
  void WatchProcess(Entries::iterator entry, SyncActions* actions);
  void ForgetIfUnknown(Entries::iterator entry);

  SyncOptions options_;
  Entries entries_;
  ShortLives lives_;
  std::map<uint64_t, ContainerId> watches_;
  uint64_t last_watch_ = 0;
  uint64_t attempt_ = 0;
  // Between Subscribed and AttemptEnded.
  bool connected_ = false;
  // Counts events.
  uint64_t events_ = 0;
  absl::Time last_event_time_ = absl::InfinitePast();

  uint64_t lists_ = 0;
  // Asked for and answered in this attempt.
  int lists_of_attempt_ = 0;
  int answered_lists_ = 0;
  int failed_lists_ = 0;
  bool listing_ = false;
  uint64_t list_after_ = 0;
  absl::Time list_asked_ = absl::InfinitePast();
  absl::Time next_list_ = absl::InfiniteFuture();
  size_t duplicates_ = 0;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_SYNC_STATE_H_
