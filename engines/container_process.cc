#include "engines/container_process.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "engines/engine_rights.h"
#include "engines/pid_translator.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

using base::Pid;

struct StatRow {
  Pid parent;
  uint64_t start_time = 0;
  bool zombie = false;
};

absl::StatusOr<StatRow> ReadStat(const procfsroot::Procfs& procfs, Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir directory, procfs.OpenProcess(pid));
  NSCTL_ASSIGN_OR_RETURN(const std::string text, directory.Read("stat", procfsroot::kMaxStat));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatFields fields, procfsroot::ParseStat(text));
  return StatRow{.parent = fields.parent,
                 .start_time = fields.start_time,
                 .zombie = fields.state == 'Z' || fields.state == 'X'};
}

class LiveProcess : public ContainerProcess {
 public:
  LiveProcess(const procfsroot::Procfs& procfs, Pid pid, uint64_t start_time, base::OwnedFd pidfd)
      : procfs_(procfs), pid_(pid), start_time_(start_time), pidfd_(std::move(pidfd)) {
    if (!pidfd_.ok()) return;
    const absl::StatusOr<std::optional<uint64_t>> inode = base::PidfdInodeOf(pidfd_);
    if (inode.ok()) inode_ = *inode;
  }

  int32_t pid() const override { return pid_.value; }
  uint64_t start_time() const override { return start_time_; }
  std::optional<absl::Time> started_at() const override {
    const absl::Duration tick = absl::Seconds(1) / sysconf(_SC_CLK_TCK);
    return absl::UnixEpoch() + absl::Floor(TimeOfStart(start_time_) - absl::UnixEpoch(), tick);
  }
  std::optional<uint64_t> pidfd_inode() const override { return inode_; }
  int poll_fd() const override { return pidfd_.get(); }

  bool Ended() const override {
    if (!pidfd_.ok()) {
      const absl::StatusOr<StatRow> stat = ReadStat(procfs_, pid_);
      if (!stat.ok()) return base::IsGone(stat.status());
      return stat->start_time != start_time_ || stat->zombie;
    }
    struct pollfd fd = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    return poll(&fd, 1, 0) > 0;
  }

 private:
  const procfsroot::Procfs& procfs_;
  const Pid pid_;
  const uint64_t start_time_;
  std::optional<uint64_t> inode_;
  // Empty where this process has as many descriptors as it may have.
  const base::OwnedFd pidfd_;
};

absl::Status NoProcess(int error, int64_t pid) {
  return base::ErrnoStatus(error, "find", absl::StrCat("process ", pid));
}

bool IsOutOfDescriptors(const absl::Status& status) {
  const int error = base::ErrnoOf(status);
  return error == EMFILE || error == ENFILE;
}

class LiveProcessFinder : public ProcessFinder {
 public:
  LiveProcessFinder(const procfsroot::Procfs& procfs, Pid engine,
                    std::unique_ptr<PidTranslator> translator, EngineRights rights)
      : procfs_(procfs), engine_(engine), translator_(std::move(translator)), rights_(rights) {}

  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override {
    if (engine_pid <= 0 || engine_pid > std::numeric_limits<int32_t>::max()) {
      return NoProcess(EINVAL, engine_pid);
    }
    const Pid theirs{static_cast<pid_t>(engine_pid)};
    NSCTL_ASSIGN_OR_RETURN(const Pid pid, translator_->ToOurs(theirs));
    NSCTL_ASSIGN_OR_RETURN(std::shared_ptr<const ContainerProcess> process,
                           HoldProcess(procfs_, pid));
    NSCTL_RETURN_IF_ERROR(CheckBelowEngine(pid));
    NSCTL_ASSIGN_OR_RETURN(const Pid again, translator_->ToOurs(theirs));
    // While it lives its number is nobody else's: all that was checked is true of it.
    if (again != pid || process->Ended()) return NoProcess(ESRCH, engine_pid);
    return process;
  }

 private:
  // The processes from the engine's up. An ancestor has been there longer than its descendants, so
  // the chain ends; a parent that ends meanwhile hands its children upward.
  absl::StatusOr<bool> IsAncestor(Pid ancestor, Pid process) const {
    constexpr int kMaxAncestors = 1000;
    for (int i = 0; i < kMaxAncestors && process.value > 0; ++i) {
      if (process == ancestor) return true;
      NSCTL_ASSIGN_OR_RETURN(const StatRow stat, ReadStat(procfs_, process));
      process = stat.parent;
    }
    return false;
  }

  absl::Status CheckBelowEngine(Pid pid) const {
    NSCTL_ASSIGN_OR_RETURN(const bool above, IsAncestor(pid, engine_));
    if (above) return NoProcess(EPERM, pid.value);
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process, procfs_.OpenProcess(pid));
    absl::Status allowed = rights_.Check(process);
    if (allowed.ok()) return allowed;
    NSCTL_ASSIGN_OR_RETURN(const bool below, IsAncestor(engine_, pid));
    return below ? absl::OkStatus() : allowed;
  }

  const procfsroot::Procfs& procfs_;
  const Pid engine_;
  const std::unique_ptr<PidTranslator> translator_;
  const EngineRights rights_;
};

}  // namespace

absl::Time TimeOfStart(uint64_t start_time) {
  const absl::Time now = absl::Now();
  struct timespec since_boot = {};
  // Goes on in suspend, as start times do.
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return now - absl::DurationFromTimespec(since_boot) +
         absl::Seconds(static_cast<double>(start_time) / ticks);
}

absl::StatusOr<std::shared_ptr<const ContainerProcess>> HoldProcess(
    const procfsroot::Procfs& procfs, base::Pid pid) {
  absl::StatusOr<base::OwnedFd> pidfd = base::OpenPidfd(pid);
  if (!pidfd.ok() && !IsOutOfDescriptors(pidfd.status())) return pidfd.status();
  // Read after the pidfd was opened and before it is known to be alive: of the same process.
  NSCTL_ASSIGN_OR_RETURN(const StatRow stat, ReadStat(procfs, pid));
  auto process = std::make_shared<LiveProcess>(procfs, pid, stat.start_time,
                                               pidfd.ok() ? *std::move(pidfd) : base::OwnedFd());
  if (process->Ended()) return NoProcess(ESRCH, pid.value);
  return process;
}

absl::StatusOr<std::unique_ptr<ProcessFinder>> FindProcessesOf(const procfsroot::Procfs& procfs,
                                                               base::Pid engine_pid,
                                                               PidTranslation how) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir engine, procfs.OpenProcess(engine_pid));
  NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<PidTranslator> translator,
                         PidTranslator::Make(procfs, engine, how));
  NSCTL_ASSIGN_OR_RETURN(const EngineRights rights, EngineRights::Read(procfs, engine));
  return std::make_unique<LiveProcessFinder>(procfs, engine_pid, std::move(translator), rights);
}

}  // namespace nsctl::engines
