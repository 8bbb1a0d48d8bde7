// A process that is known to be the one that was meant, before and after something is taken from
// it.

#ifndef NSCTL_PROCFSROOT_GUARDED_PROCESS_H_
#define NSCTL_PROCFSROOT_GUARDED_PROCESS_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {

class GuardedProcess {
 public:
  // What is held besides the directory.
  enum class Hold { kDirectory, kPidfd };

  // Opens the directory of `pid`. With `pidfd_inode` only that of the process whose pidfd has this
  // inode number, which is never dealt again while the kernel runs.
  // `pid` may be a thread's number, which procfs finds as well: then all is about this thread,
  // whose pidfd needs Linux 6.9.
  //
  // Errors: ENOENT or ESRCH where the process is gone, or is another one than `pidfd_inode` says;
  // FAILED_PRECONDITION where `procfs` is a recorded tree, whose links lead anywhere, or a pidfd is
  // needed and `procfs` does not show this process's own PIDs; EOPNOTSUPP where pidfds have no
  // inode numbers (before Linux 6.9).
  static absl::StatusOr<GuardedProcess> Open(const Procfs& procfs, base::Pid pid,
                                             std::optional<uint64_t> pidfd_inode,
                                             Hold hold = Hold::kDirectory);

  const ProcessDir& directory() const { return directory_; }

  base::Pid pid() const { return pid_; }

  // Clock ticks since boot (proc_pid_stat(5), field 22).
  uint64_t start_time() const { return start_time_; }

  // Of the same process as directory(). Holds nothing unless it was asked for or `pidfd_inode` was
  // given.
  const base::OwnedFd& pidfd() const { return pidfd_; }

  // OK where the process still is there and has the start time that it had: what was taken from
  // directory() and by the PID since Open was this process's own. ESRCH where not.
  absl::Status CheckAlive() const;

 private:
  GuardedProcess(ProcessDir directory, base::Pid pid)
      : directory_(std::move(directory)), pid_(pid) {}

  ProcessDir directory_;
  base::Pid pid_;
  base::OwnedFd pidfd_;
  uint64_t start_time_ = 0;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_GUARDED_PROCESS_H_
