#include "engines/lxc/lxc_monitors.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "engines/container_process.h"
#include "engines/lxc/lxc_monitor.h"
#include "engines/pid_translator.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines::lxc {
namespace {

// Of one place. Each costs descriptors.
constexpr size_t kMaxMonitors = 10'000;

absl::Status NoProcess(int error, int64_t pid) {
  return base::ErrnoStatus(error, "find", absl::StrCat("process ", pid));
}

bool IsBefore(const std::shared_ptr<const Monitor>& a, const std::shared_ptr<const Monitor>& b) {
  return std::make_tuple(a->name(), a->process().start_time(), a->process().pid()) <
         std::make_tuple(b->name(), b->process().start_time(), b->process().pid());
}

}  // namespace

absl::StatusOr<std::shared_ptr<Monitors>> Monitors::Make(const procfsroot::Procfs& procfs,
                                                         std::shared_ptr<const Monitor> first) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process,
                         procfs.OpenProcess(base::Pid{first->process().pid()}));
  NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<PidTranslator> translator,
                         PidTranslator::Make(procfs, process, PidTranslation::kAuto));
  std::shared_ptr<Monitors> monitors =
      absl::WrapUnique(new Monitors(procfs, first->place(), std::move(translator)));
  if (!monitors->Add(std::move(first))) return NoProcess(ESRCH, 0);
  return monitors;
}

Monitors::Monitors(const procfsroot::Procfs& procfs, Place place,
                   std::unique_ptr<PidTranslator> translator)
    : procfs_(procfs),
      place_(std::move(place)),
      translator_(std::move(translator)),
      added_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd") {}

bool Monitors::Add(std::shared_ptr<const Monitor> monitor) {
  const absl::MutexLock lock(&mutex_);
  if (ended_.requested()) return false;
  if (monitors_.size() >= kMaxMonitors) return true;
  const auto place = std::lower_bound(monitors_.begin(), monitors_.end(), monitor, IsBefore);
  if (place != monitors_.end() && !IsBefore(monitor, *place)) return true;
  monitors_.insert(place, std::move(monitor));
  const uint64_t one = 1;
  (void)base::WriteAll(added_, {reinterpret_cast<const char*>(&one), sizeof(one)});
  return true;
}

void Monitors::Replace(const Monitor& old, std::shared_ptr<const Monitor> monitor) {
  const absl::MutexLock lock(&mutex_);
  for (auto& known : monitors_) {
    if (known.get() == &old) known = std::move(monitor);
  }
}

void Monitors::Drain() {
  uint64_t count;
  (void)!read(added_.get(), &count, sizeof(count));
}

Monitors::List Monitors::Living() {
  const absl::MutexLock lock(&mutex_);
  std::erase_if(monitors_, [](const auto& monitor) { return monitor->process().Ended(); });
  if (monitors_.empty()) ended_.Request();
  return monitors_;
}

std::optional<std::pair<int32_t, uint64_t>> Monitors::Speaker() const {
  const absl::MutexLock lock(&mutex_);
  const auto oldest =
      std::min_element(monitors_.begin(), monitors_.end(), [](const auto& a, const auto& b) {
        return std::make_pair(a->process().start_time(), a->process().pid()) <
               std::make_pair(b->process().start_time(), b->process().pid());
      });
  if (oldest == monitors_.end()) return std::nullopt;
  return std::make_pair((*oldest)->process().pid(), (*oldest)->process().start_time());
}

bool Monitors::Has(base::Pid pid) const {
  const absl::MutexLock lock(&mutex_);
  return std::any_of(monitors_.begin(), monitors_.end(), [pid](const auto& monitor) {
    return monitor->process().pid() == pid.value && !monitor->process().Ended();
  });
}

absl::StatusOr<Child> Monitors::Find(int64_t engine_pid) {
  if (engine_pid <= 0 || engine_pid > std::numeric_limits<int32_t>::max()) {
    return NoProcess(EINVAL, engine_pid);
  }
  const base::Pid theirs{static_cast<pid_t>(engine_pid)};
  Child child;
  NSCTL_ASSIGN_OR_RETURN(const base::Pid pid, translator_->ToOurs(theirs));
  NSCTL_ASSIGN_OR_RETURN(child.process, HoldProcess(procfs_, pid));
  NSCTL_ASSIGN_OR_RETURN(const ScannedProcess scanned, ScanProcess(procfs_, pid));
  child.parent = scanned.parent;
  NSCTL_ASSIGN_OR_RETURN(const base::Pid again, translator_->ToOurs(theirs));
  // While it lives its number is nobody else's: all that was read is true of it.
  if (again != pid || child.process->Ended()) return NoProcess(ESRCH, engine_pid);
  return child;
}

absl::StatusOr<std::shared_ptr<const ContainerProcess>> MonitorsFinder::Find(int64_t engine_pid) {
  NSCTL_ASSIGN_OR_RETURN(Child child, monitors_->Find(engine_pid));
  if (!monitors_->Has(child.parent)) return NoProcess(EPERM, engine_pid);
  return std::move(child.process);
}

}  // namespace nsctl::engines::lxc
