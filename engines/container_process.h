// The initial process of a container, held so that its number cannot be dealt again unnoticed.
//
// Engines count PIDs in their own PID namespace. A number is believed for a process that is in
// that namespace or below it, that is neither the engine nor one that the engine descends from, and
// that it had the rights to make (engine_rights.h): nothing above an engine becomes its container
// because the engine says so.

#ifndef NSCTL_ENGINES_CONTAINER_PROCESS_H_
#define NSCTL_ENGINES_CONTAINER_PROCESS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "engines/pid_translator.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

class ContainerProcess {
 public:
  virtual ~ContainerProcess() = default;

  // In the observer's PID namespace.
  virtual int32_t pid() const = 0;
  // Clock ticks since boot.
  virtual uint64_t start_time() const = 0;
  virtual std::optional<uint64_t> pidfd_inode() const = 0;
  // When it started, as far as the kernel counts: to a hundredth of a second, by the clock as it is
  // set now. nullopt where that is unknown.
  virtual std::optional<absl::Time> started_at() const { return std::nullopt; }
  // It ended, reaped or not. Never blocks.
  virtual bool Ended() const = 0;
  // Readable once it ended; -1 where the kernel gave none.
  virtual int poll_fd() const = 0;
};

// When a process of this start time was made, by the wall clock: exact to a tick, and never late.
absl::Time TimeOfStart(uint64_t start_time);

class ProcessFinder {
 public:
  virtual ~ProcessFinder() = default;

  // The process that an engine calls `engine_pid`. May be called by several threads at once.
  //
  // Errors: ESRCH where it is none that the engine can see, or the observer; EPERM where it is the
  // engine itself or one of its ancestors, or the engine cannot have made it; EINVAL where it is no
  // PID; those of pidfd_open(2).
  virtual absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) = 0;
};

// Holds the process `pid` as the caller counts, whatever it is. `procfs`, which must show the
// caller's own PIDs, must outlive the result. Errors: ESRCH or ENOENT where it ended; those of
// pidfd_open(2), but where there are too many descriptors it is held by its start time alone.
absl::StatusOr<std::shared_ptr<const ContainerProcess>> HoldProcess(
    const procfsroot::Procfs& procfs, base::Pid pid);

// Finds processes of the engine `engine_pid` of `procfs`, which must show the caller's own PIDs.
// `procfs` must outlive the result.
//
// Errors: ESRCH where the engine is gone; those of opening its PID namespace.
absl::StatusOr<std::unique_ptr<ProcessFinder>> FindProcessesOf(const procfsroot::Procfs& procfs,
                                                               base::Pid engine_pid,
                                                               PidTranslation how = {});

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CONTAINER_PROCESS_H_
