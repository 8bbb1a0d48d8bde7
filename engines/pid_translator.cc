#include "engines/pid_translator.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

using base::Pid;

constexpr double kMaxBudget = 50;
constexpr double kBudgetPerSecond = 10;

absl::Status NoProcess(Pid pid) {
  return base::ErrnoStatus(ESRCH, "find", absl::StrCat("process ", pid.value));
}

// Its numbers from the procfs's PID namespace downward.
absl::StatusOr<std::vector<Pid>> ReadNumbers(const procfsroot::ProcessDir& process) {
  std::string text;
  const int error = process.TryReadRecord("status", procfsroot::kMaxStatus, &text);
  if (error != 0) {
    return base::ErrnoStatus(error, "read", base::DescribePath(process.fd(), "status"));
  }
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields fields, procfsroot::ParseStatus(text));
  std::vector<Pid> numbers;
  procfsroot::ForEachNamespacedPid(fields.namespaced_pids,
                                   [&numbers](Pid number) { numbers.push_back(number); });
  return numbers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PidTranslator>> PidTranslator::Make(
    const procfsroot::Procfs& procfs, const procfsroot::ProcessDir& process, PidTranslation how) {
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd pidns, process.OpenNamespace("pid"));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId theirs, base::NamespaceIdOf(pidns));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd own, self.OpenNamespace("pid"));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId ours, base::NamespaceIdOf(own));
  NSCTL_ASSIGN_OR_RETURN(const std::vector<Pid> numbers, ReadNumbers(process));
  const size_t level = numbers.empty() ? 0 : numbers.size() - 1;
  return absl::WrapUnique(new PidTranslator(procfs, std::move(pidns), ours == theirs, level, how));
}

absl::StatusOr<Pid> PidTranslator::ToOurs(Pid pid) {
  // Where both namespaces are one nothing needs to be translated.
  if (same_) return pid;
  if (how_ == PidTranslation::kAuto) {
    absl::StatusOr<Pid> translated = base::PidFromPidNamespace(pidns_, pid);
    if (translated.ok() || !base::IsUnsupported(translated.status())) return translated;
  }
  return FindByStatus(pid);
}

absl::StatusOr<Pid> PidTranslator::ReadTheirs(Pid pid) const {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process, procfs_.OpenProcess(pid));
  NSCTL_ASSIGN_OR_RETURN(const std::vector<Pid> numbers, ReadNumbers(process));
  if (numbers.size() <= level_) return NoProcess(pid);
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd ns, process.OpenNamespace("pid"));
  for (size_t above = numbers.size() - 1; above > level_; --above) {
    NSCTL_ASSIGN_OR_RETURN(ns, base::OpenParent(ns));
  }
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(ns));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId wanted, base::NamespaceIdOf(pidns_));
  if (id != wanted) return NoProcess(pid);
  return numbers[level_];
}

void PidTranslator::ReadAll() {
  known_.clear();
  const absl::StatusOr<std::vector<Pid>> pids = procfs_.ListProcesses();
  if (!pids.ok()) return;
  for (const Pid ours : *pids) {
    const absl::StatusOr<Pid> theirs = ReadTheirs(ours);
    if (theirs.ok()) known_[*theirs] = ours;
  }
}

absl::StatusOr<Pid> PidTranslator::FindByStatus(Pid pid) {
  const absl::MutexLock lock(&mutex_);
  auto found = known_.find(pid);
  if (found != known_.end()) {
    const absl::StatusOr<Pid> theirs = ReadTheirs(found->second);
    if (theirs.ok() && *theirs == pid) return found->second;
  }
  const absl::Time now = absl::Now();
  budget_ = refilled_ == absl::InfinitePast()
                ? kMaxBudget
                : std::min(kMaxBudget,
                           budget_ + kBudgetPerSecond * absl::ToDoubleSeconds(now - refilled_));
  refilled_ = now;
  if (budget_ < 1) return NoProcess(pid);
  budget_ -= 1;
  ReadAll();
  found = known_.find(pid);
  if (found == known_.end()) return NoProcess(pid);
  return found->second;
}

}  // namespace nsctl::engines
