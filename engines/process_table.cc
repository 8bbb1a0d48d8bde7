#include "engines/process_table.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/worker_pool.h"
#include "engines/cgroup_names.h"
#include "engines/helper_processes.h"
#include "engines/process_scan.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

constexpr size_t kProcessesPerPiece = 32;

bool HasController(absl::string_view controllers, absl::string_view wanted) {
  for (const absl::string_view controller : absl::StrSplit(controllers, ',')) {
    if (controller == wanted) return true;
  }
  return false;
}

}  // namespace

CgroupPlace ParseCgroupPlace(absl::string_view text) {
  CgroupPlace place;
  std::string longest;
  // What stands before a malformed line counts.
  (void)procfsroot::ParseCgroup(text, [&](const procfsroot::CgroupLine& line) {
    if (line.path == "/") return;
    if (!place.name.has_value()) place.name = ParseCgroupName(line.path);
    if (line.hierarchy == 0) place.unified = std::string(line.path);
    if (HasController(line.controllers, "freezer")) place.freezer = std::string(line.path);
    if (line.path.size() > longest.size()) longest = std::string(line.path);
  });
  place.path = place.unified.empty() ? std::move(longest) : place.unified;
  return place;
}

void ProcessTable::Read(Reading* reading) const {
  const absl::StatusOr<procfsroot::ProcessDir> directory = procfs_.OpenProcess(reading->pid);
  if (!directory.ok()) return;
  absl::StatusOr<ScannedProcess> process = ScanProcess(*directory, reading->pid);
  if (!process.ok()) return;
  reading->process = *std::move(process);
  reading->ok = true;
  if (reading->process.kernel_thread || reading->process.zombie) return;
  if (directory->TryReadRecord("cgroup", procfsroot::kMaxCgroup, &reading->cgroup) != 0) {
    reading->cgroup.clear();
  }
  if (!MayBeHelper(reading->process.name)) return;
  const absl::StatusOr<std::vector<std::string>> arguments = ReadArguments(*directory);
  if (arguments.ok()) reading->helper = ParseHelper(reading->process.name, *arguments);
}

void ProcessTable::Take(Reading reading) {
  if (!reading.ok) {
    rows_.erase(reading.pid);
    return;
  }
  if (reading.process.kernel_thread) {
    kernel_threads_.insert(reading.pid);
    return;
  }
  Row& row = rows_[reading.pid];
  if (row.process.start_time != reading.process.start_time) row.looks = 0;
  ++row.looks;
  row.process = std::move(reading.process);
  row.helper = std::move(reading.helper);
  if (reading.cgroup.empty()) {
    row.cgroup = nullptr;
    return;
  }
  std::weak_ptr<const CgroupPlace>& known = cgroups_[reading.cgroup];
  row.cgroup = known.lock();
  if (row.cgroup != nullptr) return;
  row.cgroup = std::make_shared<const CgroupPlace>(ParseCgroupPlace(reading.cgroup));
  known = row.cgroup;
}

absl::Status ProcessTable::Refresh() {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, procfs_.ListProcesses());
  const auto is_listed = [&pids](base::Pid pid) {
    return std::binary_search(pids.begin(), pids.end(), pid);
  };
  const bool all = looks_++ % options_.all_again_after == 0;
  if (all) kernel_threads_.clear();
  std::erase_if(rows_, [&](const auto& row) { return !is_listed(row.first); });
  std::erase_if(kernel_threads_, [&](base::Pid pid) { return !is_listed(pid); });
  std::vector<Reading> readings;
  for (const base::Pid pid : pids) {
    if (kernel_threads_.contains(pid)) continue;
    const auto row = rows_.find(pid);
    const bool settled = row != rows_.end() && row->second.looks >= options_.settled_after;
    if (all || !settled) readings.emplace_back().pid = pid;
  }
  base::ParallelFor(readings.size(), kProcessesPerPiece, base::DefaultThreadCount(),
                    [this, &readings](size_t begin, size_t end, int /*worker*/) {
                      for (size_t i = begin; i < end; ++i) Read(&readings[i]);
                    });
  for (Reading& reading : readings) Take(std::move(reading));
  std::erase_if(cgroups_, [](const auto& cgroup) { return cgroup.second.expired(); });
  return absl::OkStatus();
}

}  // namespace nsctl::engines
