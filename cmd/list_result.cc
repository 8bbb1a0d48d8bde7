#include "cmd/list_result.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::SnapshotIndex;

using NamespaceKey = std::pair<NamespaceType, uint32_t>;

// The namespaces that the processes are in.
absl::StatusOr<absl::flat_hash_set<NamespaceKey>> NamespacesOf(const std::vector<base::Pid>& pids,
                                                               const SnapshotIndex& index) {
  absl::flat_hash_set<NamespaceKey> keys;
  for (const base::Pid pid : pids) {
    const Process* process = index.FindProcess(pid.value);
    if (process == nullptr) return absl::NotFoundError(absl::StrCat("no process ", pid.value));
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const std::optional<uint32_t> inode = nsdisc::NamespaceOf(process->namespaces(), info.type);
      if (inode.has_value()) keys.insert({info.type, *inode});
    }
  }
  return keys;
}

void FillRow(const Namespace& ns, const SnapshotIndex& index, NamespaceRow* row) {
  *row->mutable_namespace_() = ns;
  if (const Process* process = index.RepresentativeOf(ns)) {
    *row->mutable_representative() = *process;
    row->mutable_representative()->clear_cgroups();
    row->set_cgroup(index.CgroupPathOf(*process));
  }
  if (ns.type() == Namespace::user) {
    row->set_owned_count(static_cast<uint32_t>(index.OwnedBy(ns.inode()).size()));
  }
}

}  // namespace

absl::StatusOr<NamespaceList> BuildNamespaceList(const nsdisc::Snapshot& snapshot,
                                                 const ListFilter& filter) {
  const SnapshotIndex index(snapshot);
  NSCTL_ASSIGN_OR_RETURN(const absl::flat_hash_set<NamespaceKey> wanted,
                         NamespacesOf(filter.pids, index));
  const auto passes = [&](const Namespace& ns) {
    const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
    if (!filter.types.empty() &&
        (!type.has_value() || !absl::c_linear_search(filter.types, *type))) {
      return false;
    }
    return filter.pids.empty() || (type.has_value() && wanted.contains({*type, ns.inode()}));
  };

  NamespaceList list;
  *list.mutable_taken_at() = snapshot.taken_at();
  *list.mutable_host() = snapshot.host();
  for (const Namespace& ns : snapshot.namespaces()) {
    if (passes(ns)) FillRow(ns, index, list.add_rows());
  }
  *list.mutable_gaps() = snapshot.gaps();
  return list;
}

}  // namespace nsctl::cmd
