#include "nsdisc/pid_map.h"

#include <cstddef>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/namespace_type.h"

namespace nsctl::nsdisc {

using base::NamespaceType;

PidMap::PidMap(const SnapshotIndex& index) : index_(index) {
  for (const Gap& gap : index.snapshot().gaps()) {
    absl::string_view number = gap.subject();
    int32_t pid = 0;
    if (gap.operation() == "read status" && absl::ConsumePrefix(&number, "pid:") &&
        absl::SimpleAtoi(number, &pid)) {
      without_status_.insert(pid);
    }
  }
  scanned_ = FindScanned();
  for (const Process& process : index.snapshot().processes()) {
    const std::vector<Number> numbers = NumbersOf(process);
    for (size_t i = 1; i < numbers.size(); ++i) {
      if (!numbers[i].pid_namespace.has_value()) continue;
      inner_.try_emplace({*numbers[i].pid_namespace, numbers[i].pid}, &process);
    }
  }
}

// Credentials are read together with the numbers: without them nothing was read in detail.
bool PidMap::KnowsNumbersOf(const Process& process) const {
  return process.has_uid() && !without_status_.contains(process.pid());
}

std::optional<uint32_t> PidMap::FindScanned() const {
  const Snapshot& snapshot = index_.snapshot();
  if (snapshot.scanner().namespaces().has_pid() && snapshot.options().procfs().empty()) {
    return snapshot.scanner().namespaces().pid();
  }
  std::optional<uint32_t> found;
  for (const Process& process : snapshot.processes()) {
    const bool has_one_number = KnowsNumbersOf(process) && process.namespaced_pids().empty();
    if (!has_one_number || !process.namespaces().has_pid()) continue;
    if (found.has_value() && *found != process.namespaces().pid()) return std::nullopt;
    found = process.namespaces().pid();
  }
  return found;
}

std::optional<uint32_t> PidMap::NamespaceOf(const Process& process) const {
  if (process.namespaces().has_pid()) return process.namespaces().pid();
  if (KnowsNumbersOf(process) && process.namespaced_pids().empty()) return scanned_;
  return std::nullopt;
}

std::vector<PidMap::Number> PidMap::NumbersOf(const Process& process) const {
  if (process.namespaced_pids().empty()) return {{process.pid(), scanned_}};
  std::vector<Number> numbers;
  for (const int32_t pid : process.namespaced_pids()) numbers.push_back({pid, std::nullopt});
  numbers.front().pid_namespace = scanned_;

  // From the process's own namespace upward there is one for each number, the scanned one last.
  std::vector<uint32_t> upward;
  std::optional<uint32_t> inode = NamespaceOf(process);
  while (inode.has_value() && upward.size() < numbers.size()) {
    upward.push_back(*inode);
    const Namespace* const ns = index_.FindNamespace(NamespaceType::kPid, *inode);
    if (inode == scanned_ || ns == nullptr || !ns->has_parent()) break;
    inode = ns->parent();
  }
  const bool agrees =
      upward.size() == numbers.size() && (!scanned_.has_value() || upward.back() == *scanned_);
  if (!agrees) {
    if (!upward.empty()) numbers.back().pid_namespace = upward.front();
    return numbers;
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i].pid_namespace = upward[upward.size() - 1 - i];
  }
  return numbers;
}

const Process* PidMap::Find(int32_t pid, uint32_t pid_namespace) const {
  if (pid_namespace == scanned_) return index_.FindProcess(pid);
  const auto found = inner_.find({pid_namespace, pid});
  return found == inner_.end() ? nullptr : found->second;
}

}  // namespace nsctl::nsdisc
