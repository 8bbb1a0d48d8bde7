// What one engine is asked, whatever its protocol: five questions, four of which each client
// answers.
//
// Clients keep no state of containers and make no decisions: which answer is newer, what is told to
// whom and when to ask again is sync_state.h. Their methods block, up to their limits, and may be
// called by several threads at once.

#ifndef NSCTL_ENGINES_ENGINE_CLIENT_H_
#define NSCTL_ENGINES_ENGINE_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/http_client.h"

namespace nsctl::engines {

// Something that an engine says happened to a container.
struct EngineEvent {
  enum class Kind : uint8_t {
    // It has an initial process, and that ended.
    kStarted,
    kExited,
    kPaused,
    kUnpaused,
    // Name, labels or anything else that an inspection shows.
    kUpdated,
    kRemoved,
    // A process that was added to it ended, not the container.
    kExecExited,
    // The stream itself is damaged: events may be missing.
    kLost,
  };
  Kind kind = Kind::kUpdated;
  ContainerId container = {};
  // By the engine's clock, which is the kernel's; in the past for ever where it does not say.
  absl::Time time = absl::InfinitePast();
  // Of the initial process, in the engine's PID namespace. Not all engines say it.
  std::optional<int64_t> engine_pid = std::nullopt;
  std::optional<int32_t> exit_code = std::nullopt;
  std::optional<bool> oom_killed = std::nullopt;
  // What the event itself calls the container and its image, as stored text; empty where it does
  // not. Of containers that are gone before anybody asked for them nothing else is known.
  std::string name = "";
  std::string image = "";
};

// A container as an engine shows it. Of `container`, the fields `engine`, `pid`, `start_time`,
// `pidfd_inode` and `views` are not set: `engine_pid` is the engine's word.
struct EngineRow {
  Container container;
  // Where it is in one.
  std::optional<Pod> pod;
  // The engine lists containers without their processes: an inspection would show more.
  bool partial = false;
};

class EngineClient {
 public:
  virtual ~EngineClient() = default;

  // Type, id, version, API version of the engine, and its `api` where the client chose it. Nothing
  // is believed that could be wrong about who it is: PID and key are the caller's.
  virtual absl::StatusOr<Engine> Identify(const CallLimits& limits) = 0;

  // Whether it answers, by what costs it least. Asked once Identify succeeded.
  virtual absl::Status Ping(const CallLimits& limits) { return Identify(limits).status(); }

  // Calls `subscribed` once the engine accepted, then `sink` for each event, until the stream ends
  // (OK), breaks or is stopped. Where the engine can tell what happened since a time, it starts at
  // `since`. `limits.deadline` is for the acceptance. `sink` returns soon.
  virtual absl::Status Watch(absl::Time since, const CallLimits& limits,
                             absl::FunctionRef<void()> subscribed,
                             absl::FunctionRef<void(const EngineEvent&)> sink) = 0;

  // All containers that have a process or are between two. `sink`'s error ends the list.
  virtual absl::Status List(const CallLimits& limits,
                            absl::FunctionRef<absl::Status(EngineRow)> sink) = 0;

  // The containers that List leaves out: made and not started, ended and not removed. Asked on
  // demand alone. Nothing where the engine has no such containers.
  virtual absl::Status ListStopped(const CallLimits& /*limits*/,
                                   absl::FunctionRef<absl::Status(EngineRow)> /*sink*/) {
    return absl::OkStatus();
  }

  // NOT_FOUND where the engine does not know it any more.
  virtual absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                            const CallLimits& limits) = 0;

  // Watch tells what happened since a time. Without, nothing proves that a subscription was active
  // when it was accepted, and the list is asked for twice. Asked once Identify succeeded.
  virtual bool replays() const = 0;

  // The PID and start time of a process that speaks for the engine now, where several make it up.
  // Asked often; never blocks.
  virtual std::optional<std::pair<int32_t, uint64_t>> process() const { return std::nullopt; }
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_CLIENT_H_
