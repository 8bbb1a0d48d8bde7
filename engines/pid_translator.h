// The numbers of processes in an engine's PID namespace, as the observer counts.

#ifndef NSCTL_ENGINES_PID_TRANSLATOR_H_
#define NSCTL_ENGINES_PID_TRANSLATOR_H_

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

// How it is done where the namespaces differ.
enum class PidTranslation {
  // The kernel is asked (Linux 6.11), or else:
  kAuto,
  // All processes are read for their "NSpid:".
  kStatusFiles,
};

// May be used by several threads at once.
class PidTranslator {
 public:
  // For the PID namespace of `process`, which is one of `procfs`'s. `procfs` shows the caller's own
  // PIDs and must outlive the result. Errors: those of opening its namespace.
  static absl::StatusOr<std::unique_ptr<PidTranslator>> Make(const procfsroot::Procfs& procfs,
                                                             const procfsroot::ProcessDir& process,
                                                             PidTranslation how);

  // Errors: ESRCH where `pid` is nobody there. Races: what is found may have ended, and its number
  // may be another process's, on return.
  absl::StatusOr<base::Pid> ToOurs(base::Pid pid) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  PidTranslator(const procfsroot::Procfs& procfs, base::OwnedFd pidns, bool same, size_t level,
                PidTranslation how)
      : procfs_(procfs), pidns_(std::move(pidns)), same_(same), level_(level), how_(how) {}

  absl::StatusOr<base::Pid> FindByStatus(base::Pid pid) ABSL_LOCKS_EXCLUDED(mutex_);
  // The number there of the process `pid`; ESRCH where it has none.
  absl::StatusOr<base::Pid> ReadTheirs(base::Pid pid) const;
  void ReadAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const procfsroot::Procfs& procfs_;
  const base::OwnedFd pidns_;
  // It is the caller's own.
  const bool same_;
  // How many PID namespaces of `procfs` and below are above it.
  const size_t level_;
  const PidTranslation how_;
  absl::Mutex mutex_;
  // Theirs to ours.
  std::map<base::Pid, base::Pid> known_ ABSL_GUARDED_BY(mutex_);
  // How often all may be read until time refills it: an engine may ask for numbers that are none.
  double budget_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time refilled_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PID_TRANSLATOR_H_
