// The client of an engine that was found by its process: which of the sockets that the process
// listens at answers, and as what, is found out at each attempt to follow it.
//
// Sockets are reached by their paths below the process's own root directory. Whoever answers must
// be the process itself, or hold the socket that it listens at (who starts engines on demand): a
// path may lead to the socket of another engine, or of one outside of the container.

#ifndef NSCTL_ENGINES_ENGINE_DOOR_H_
#define NSCTL_ENGINES_ENGINE_DOOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engines/container.h"
#include "engines/container_process.h"
#include "engines/engine_client.h"
#include "engines/engine_types.h"
#include "engines/listening_sockets.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

class EngineDoor : public EngineClient {
 public:
  // `kinds` are those that the program may be, of `all_kinds`: one that answers as another of these
  // is asked as such. `procfs` shows the caller's own PIDs, and must outlive the door.
  EngineDoor(const procfsroot::Procfs& procfs, std::shared_ptr<const ContainerProcess> process,
             std::vector<const EngineKind*> kinds, absl::Span<const EngineKind> all_kinds);

  // Errors: UNAVAILABLE where no socket answers, saying why the first does not.
  absl::Status Ping(const CallLimits& limits) override;
  absl::StatusOr<Engine> Identify(const CallLimits& limits) override;

  // Of what answered to Identify; FAILED_PRECONDITION before.
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::Status ListStopped(const CallLimits& limits,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  bool replays() const override;

 private:
  struct Candidate {
    ListeningSocket socket;
    const EngineKind* kind = nullptr;
  };
  using Client = std::shared_ptr<EngineClient>;

  absl::StatusOr<std::vector<Candidate>> FindCandidates() const;
  absl::StatusOr<Engine> Try(const procfsroot::Root& root, const Candidate& candidate,
                             const CallLimits& limits) ABSL_LOCKS_EXCLUDED(mutex_);
  Client MakeClient(const procfsroot::Root& root, const Candidate& candidate) const;
  absl::StatusOr<Client> Chosen() const ABSL_LOCKS_EXCLUDED(mutex_);

  const procfsroot::Procfs& procfs_;
  const std::shared_ptr<const ContainerProcess> process_;
  const std::vector<const EngineKind*> kinds_;
  const absl::Span<const EngineKind> all_kinds_;
  mutable absl::Mutex mutex_;
  // Null until one answered.
  Client chosen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_DOOR_H_
