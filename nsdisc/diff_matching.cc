#include "nsdisc/diff_matching.h"

#include <cstdint>
#include <map>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {

using base::NamespaceType;

bool HaveSamePidNamespace(const DiffSide& before, const DiffSide& after) {
  const std::optional<uint32_t> a = before.pids().scanned_namespace();
  const std::optional<uint32_t> b = after.pids().scanned_namespace();
  return !a.has_value() || !b.has_value() || a == b;
}

Matching<Process> MatchProcesses(const DiffSide& before, const DiffSide& after) {
  Matching<Process> matching;
  const bool same_pids = HaveSamePidNamespace(before, after);
  absl::flat_hash_map<uint64_t, const Process*> by_pidfd;
  for (const Process& process : after.snapshot().processes()) {
    if (process.has_pidfd_inode()) by_pidfd.try_emplace(process.pidfd_inode(), &process);
  }
  absl::flat_hash_set<const Process*> met;
  for (const Process& process : before.snapshot().processes()) {
    const Process* other = nullptr;
    if (process.has_pidfd_inode()) {
      const auto found = by_pidfd.find(process.pidfd_inode());
      if (found != by_pidfd.end()) other = found->second;
    }
    if (other == nullptr && same_pids) {
      other = after.index().FindProcess(process.pid());
      const bool same = other != nullptr && other->start_time() == process.start_time() &&
                        !(other->has_pidfd_inode() && process.has_pidfd_inode());
      if (!same) other = nullptr;
    }
    if (other != nullptr && met.insert(other).second) {
      matching.pairs.emplace_back(&process, other);
    } else {
      matching.removed.push_back(&process);
    }
  }
  for (const Process& process : after.snapshot().processes()) {
    if (!met.contains(&process)) matching.added.push_back(&process);
  }
  return matching;
}

Matching<Namespace> MatchNamespaces(const DiffSide& before, const DiffSide& after,
                                    absl::Span<const NamespaceType> types) {
  const auto is_compared = [&](const Namespace& ns) {
    const std::optional<NamespaceType> type = FromProto(ns.type());
    return type.has_value() && absl::c_linear_search(types, *type);
  };
  Matching<Namespace> matching;
  std::map<std::pair<int, uint64_t>, const Namespace*> by_id;
  for (const Namespace& ns : after.snapshot().namespaces()) {
    if (ns.has_kernel_id()) by_id.try_emplace({ns.type(), ns.kernel_id()}, &ns);
  }
  absl::flat_hash_set<const Namespace*> met;
  for (const Namespace& ns : before.snapshot().namespaces()) {
    if (!is_compared(ns)) continue;
    const Namespace* other = nullptr;
    const auto found = ns.has_kernel_id() ? by_id.find({ns.type(), ns.kernel_id()}) : by_id.end();
    if (found != by_id.end()) other = found->second;
    if (other == nullptr) {
      other = after.index().FindNamespace(*FromProto(ns.type()), ns.inode());
      if (other != nullptr && other->has_kernel_id() && ns.has_kernel_id()) other = nullptr;
    }
    if (other != nullptr && met.insert(other).second) {
      matching.pairs.emplace_back(&ns, other);
    } else {
      matching.removed.push_back(&ns);
    }
  }
  for (const Namespace& ns : after.snapshot().namespaces()) {
    if (is_compared(ns) && !met.contains(&ns)) matching.added.push_back(&ns);
  }
  return matching;
}

}  // namespace nsctl::nsdisc
