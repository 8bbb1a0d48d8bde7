#include "procfsroot/guarded_process.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {
namespace {

absl::StatusOr<uint64_t> StartTimeOf(const ProcessDir& process) {
  NSCTL_ASSIGN_OR_RETURN(const std::string text, process.Read("stat", kMaxStat));
  NSCTL_ASSIGN_OR_RETURN(const StatFields fields, ParseStat(text));
  return fields.start_time;
}

absl::StatusOr<base::OwnedFd> OpenOwnPidfd(const Procfs& procfs, base::Pid pid,
                                           absl::string_view name) {
  if (!procfs.has_own_pids()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": ", procfs.path(), " shows PIDs of another PID namespace"));
  }
  absl::StatusOr<base::OwnedFd> pidfd = base::OpenPidfd(pid);
  // What pidfd_open(2) says of a thread that is not the first of its process, which procfs shows as
  // a process all the same. A process that is gone is ESRCH.
  const int error = base::ErrnoOf(pidfd.status());
  if (error != ENOENT && error != EINVAL) return pidfd;
  return base::OpenThreadPidfd(base::Tid{pid.value});
}

absl::Status CheckInode(base::FdRef pidfd, uint64_t wanted, absl::string_view name) {
  NSCTL_ASSIGN_OR_RETURN(const std::optional<uint64_t> inode, base::PidfdInodeOf(pidfd));
  if (!inode.has_value()) return base::ErrnoStatus(EOPNOTSUPP, "compare pidfd inode", name);
  if (*inode != wanted) return base::ErrnoStatus(ESRCH, "find", name);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GuardedProcess> GuardedProcess::Open(const Procfs& procfs, base::Pid pid,
                                                    std::optional<uint64_t> pidfd_inode,
                                                    Hold hold) {
  if (!procfs.is_kernel()) {
    return absl::FailedPreconditionError(
        absl::StrCat(procfs.path(), " is a recorded tree: its processes cannot be entered"));
  }
  NSCTL_ASSIGN_OR_RETURN(ProcessDir directory, procfs.OpenProcess(pid));
  GuardedProcess process(std::move(directory), pid);
  NSCTL_ASSIGN_OR_RETURN(process.start_time_, StartTimeOf(process.directory_));
  if (!pidfd_inode.has_value() && hold == Hold::kDirectory) return process;
  const std::string name = pidfd_inode.has_value()
                               ? absl::StrCat("process ", pid.value, ":", *pidfd_inode)
                               : absl::StrCat("process ", pid.value);
  NSCTL_ASSIGN_OR_RETURN(process.pidfd_, OpenOwnPidfd(procfs, pid, name));
  if (pidfd_inode.has_value()) {
    NSCTL_RETURN_IF_ERROR(CheckInode(process.pidfd_, *pidfd_inode, name));
  }
  // The directory still answers, so the PID was its process's own when the pidfd was opened.
  NSCTL_RETURN_IF_ERROR(process.CheckAlive());
  return process;
}

absl::Status GuardedProcess::CheckAlive() const {
  NSCTL_ASSIGN_OR_RETURN(const uint64_t start_time, StartTimeOf(directory_));
  if (start_time == start_time_) return absl::OkStatus();
  return base::ErrnoStatus(ESRCH, "find", absl::StrCat("process ", pid_.value));
}

}  // namespace nsctl::procfsroot
