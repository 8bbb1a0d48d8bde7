#include "engines/process_table.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/worker_pool.h"
#include "engines/cgroup_place.h"
#include "engines/engine_types.h"
#include "engines/helper_processes.h"
#include "engines/process_scan.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

constexpr size_t kProcessesPerPiece = 32;

// Reads what is asked for, each thing once.
class Unread {
 public:
  Unread(const procfsroot::Procfs& procfs, base::Pid pid) : procfs_(procfs), pid_(pid) {}

  // Null where it ended.
  const procfsroot::ProcessDir* directory() {
    if (!directory_.has_value()) directory_ = procfs_.OpenProcess(pid_);
    return directory_->ok() ? &**directory_ : nullptr;
  }

  std::string Cgroup() {
    std::string text;
    if (directory() == nullptr) return text;
    if (directory()->TryReadRecord("cgroup", procfsroot::kMaxCgroup, &text) != 0) text.clear();
    return text;
  }

  std::vector<std::string> Arguments() {
    if (directory() == nullptr) return {};
    absl::StatusOr<std::vector<std::string>> arguments = ReadArguments(*directory());
    return arguments.ok() ? *std::move(arguments) : std::vector<std::string>();
  }

  std::string Executable() {
    if (directory() == nullptr) return "";
    return ReadExecutableName(*directory()).value_or("");
  }

 private:
  const procfsroot::Procfs& procfs_;
  const base::Pid pid_;
  std::optional<absl::StatusOr<procfsroot::ProcessDir>> directory_;
};

// Adds arguments to `process` where it has none.
const std::vector<std::string>& ArgumentsOf(KnownProcess* process, Unread* unread) {
  if (!process->arguments.has_value()) process->arguments = unread->Arguments();
  return *process->arguments;
}

std::vector<const EngineKind*> KindsOf(absl::Span<const EngineKind> all, KnownProcess* process,
                                       Unread* unread) {
  const std::string& name = process->process.name;
  if (!process->has_sockets) return {};
  std::vector<const EngineKind*> kinds = KindsOfProgram(all, name, "");
  if (kinds.empty()) kinds = KindsOfProgram(all, name, unread->Executable());
  const auto is_none = [&](const EngineKind* kind) {
    if (kind->argument == nullptr && kind->is_service == nullptr) return false;
    const std::vector<std::string>& arguments = ArgumentsOf(process, unread);
    if (kind->is_service != nullptr && !kind->is_service(arguments)) return true;
    return kind->argument != nullptr && !absl::c_linear_search(arguments, kind->argument);
  };
  kinds.erase(std::remove_if(kinds.begin(), kinds.end(), is_none), kinds.end());
  return kinds;
}

// Reads what is missing in `process`, and what it says into `row`.
void Complete(absl::Span<const EngineKind> kinds, Unread* unread, KnownProcess* process,
              ProcessTable::Row* row) {
  row->process = process->process;
  if (row->process.kernel_thread || row->process.zombie) return;
  if (!process->cgroup.has_value()) process->cgroup = unread->Cgroup();
  if (MayBeHelper(row->process.name)) {
    row->helper = ParseHelper(row->process.name, ArgumentsOf(process, unread));
  }
  row->kinds = KindsOf(kinds, process, unread);
}

}  // namespace

bool MayNeedArguments(const KnownProcess& process) {
  return process.has_sockets || MayBeHelper(process.process.name);
}

ProcessTable::Rows& ProcessTable::OwnRows() {
  if (rows_.use_count() > 1) rows_ = std::make_shared<Rows>(*rows_);
  return *rows_;
}

void ProcessTable::Add(const std::optional<std::string>& cgroup, Row row) {
  const base::Pid pid = row.process.pid;
  if (row.process.kernel_thread) {
    kernel_threads_.insert(pid);
    rows_->erase(pid);
    return;
  }
  if (cgroup.has_value() && !cgroup->empty()) {
    std::weak_ptr<const CgroupPlace>& known = cgroups_[*cgroup];
    row.cgroup = known.lock();
    if (row.cgroup == nullptr) {
      row.cgroup = std::make_shared<const CgroupPlace>(ParseCgroupPlace(*cgroup));
      known = row.cgroup;
    }
  }
  Row& place = (*rows_)[pid];
  const bool is_same = place.process.start_time == row.process.start_time;
  row.looks = is_same ? place.looks + 1 : 1;
  place = std::move(row);
}

void ProcessTable::AddAll(std::vector<Reading> readings) {
  base::ParallelFor(readings.size(), kProcessesPerPiece, base::DefaultThreadCount(),
                    [this, &readings](size_t begin, size_t end, int /*worker*/) {
                      for (size_t i = begin; i < end; ++i) Read(&readings[i]);
                    });
  (void)OwnRows();
  for (Reading& reading : readings) {
    if (reading.is_there) {
      Add(reading.process.cgroup, std::move(reading.row));
    } else {
      rows_->erase(reading.pid);
    }
  }
  std::erase_if(cgroups_, [](const auto& cgroup) { return cgroup.second.expired(); });
}

void ProcessTable::Read(Reading* reading) const {
  Unread unread(procfs_, reading->pid);
  if (!reading->is_there) {
    if (unread.directory() == nullptr) return;
    absl::StatusOr<ScannedProcess> process = ScanProcess(*unread.directory(), reading->pid);
    if (!process.ok()) return;
    reading->process.process = *std::move(process);
    reading->is_there = true;
  }
  Complete(options_.kinds, &unread, &reading->process, &reading->row);
}

void ProcessTable::Take(std::vector<KnownProcess> processes) {
  const absl::MutexLock lock(&mutex_);
  std::vector<Reading> readings;
  readings.reserve(processes.size());
  for (KnownProcess& process : processes) {
    const base::Pid pid = process.process.pid;
    readings.push_back({.pid = pid, .is_there = true, .process = std::move(process)});
  }
  AddAll(std::move(readings));
  ++looks_;
  looked_ = absl::Now();
}

absl::StatusOr<std::shared_ptr<const ProcessTable::Rows>> ProcessTable::Look(
    absl::Duration max_age) {
  const absl::MutexLock lock(&mutex_);
  const absl::Time now = absl::Now();
  if (looked_ <= now && now - looked_ < max_age) return rows_;
  const bool all = looks_++ % options_.all_again_after == 0;
  if (all) kernel_threads_.clear();
  NSCTL_RETURN_IF_ERROR(
      Refresh([&](const Row& row) { return all || row.looks < options_.settled_after; }));
  looked_ = absl::Now();
  return rows_;
}

absl::StatusOr<std::shared_ptr<const ProcessTable::Rows>> ProcessTable::LookForNew() {
  const absl::MutexLock lock(&mutex_);
  NSCTL_RETURN_IF_ERROR(Refresh([](const Row& /*row*/) { return false; }));
  return rows_;
}

absl::Status ProcessTable::Refresh(absl::FunctionRef<bool(const Row&)> is_read_again) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, procfs_.ListProcesses());
  const auto is_listed = [&pids](base::Pid pid) {
    return std::binary_search(pids.begin(), pids.end(), pid);
  };
  std::erase_if(OwnRows(), [&](const auto& row) { return !is_listed(row.first); });
  std::erase_if(kernel_threads_, [&](base::Pid pid) { return !is_listed(pid); });
  std::vector<Reading> readings;
  for (const base::Pid pid : pids) {
    if (kernel_threads_.contains(pid)) continue;
    const auto row = rows_->find(pid);
    if (row == rows_->end() || is_read_again(row->second)) readings.push_back({.pid = pid});
  }
  AddAll(std::move(readings));
  return absl::OkStatus();
}

}  // namespace nsctl::engines
