#include "nsdisc/pid_map.h"

#include <algorithm>
#include <cstddef>

#include "base/namespace_type.h"

namespace nsctl::nsdisc {

PidMap::PidMap(const SnapshotIndex& index) : index_(index) {
  for (const Process& process : index.snapshot().processes()) {
    for (const Number& number : NumbersOf(process.pid())) {
      outer_.emplace(std::make_pair(number.pid_namespace, number.pid), process.pid());
    }
  }
}

// NSpid lists numbers from the procfs's namespace downward, so the last one is of the process's own
// and each one before of the parent of the one behind it.
std::vector<PidMap::Number> PidMap::NumbersOf(int32_t pid) const {
  const Process* const process = index_.FindProcess(pid);
  if (process == nullptr || !process->namespaces().has_pid()) return {};
  uint32_t ns = process->namespaces().pid();
  const auto& pids = process->namespaced_pids();
  if (pids.empty()) {
    // A single number is not told: the process is in the procfs's own namespace, or nobody asked.
    const Namespace* const own = index_.FindNamespace(base::NamespaceType::kPid, ns);
    const bool is_outermost = own == nullptr || !own->has_parent();
    if (is_outermost || index_.snapshot().scanner().namespaces().pid() == ns) return {{ns, pid}};
    return {};
  }
  std::vector<Number> numbers;
  for (int i = pids.size() - 1; i >= 0; --i) {
    numbers.push_back({ns, pids[i]});
    if (i == 0) break;
    const Namespace* const message = index_.FindNamespace(base::NamespaceType::kPid, ns);
    if (message == nullptr || !message->has_parent()) return {};
    ns = message->parent();
  }
  std::reverse(numbers.begin(), numbers.end());
  return numbers;
}

std::optional<int32_t> PidMap::Translate(int32_t pid, uint32_t from, uint32_t to) const {
  const std::optional<int32_t> outer = Find(pid, from);
  if (!outer.has_value()) return std::nullopt;
  for (const Number& number : NumbersOf(*outer)) {
    if (number.pid_namespace == to) return number.pid;
  }
  return std::nullopt;
}

std::optional<int32_t> PidMap::Find(int32_t pid, uint32_t from) const {
  const auto found = outer_.find({from, pid});
  if (found == outer_.end()) return std::nullopt;
  return found->second;
}

}  // namespace nsctl::nsdisc
