#include "cmd/list_result.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/container_reference.h"
#include "cmd/usage.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::SnapshotIndex;

using NamespaceKey = std::pair<NamespaceType, uint32_t>;

void AddNamespacesOf(const nsdisc::NamespaceSet& set, absl::flat_hash_set<NamespaceKey>* keys) {
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::optional<uint32_t> inode = nsdisc::NamespaceOf(set, info.type);
    if (inode.has_value()) keys->insert({info.type, *inode});
  }
}

// The namespaces that the processes, or threads of such numbers, are in.
absl::StatusOr<absl::flat_hash_set<NamespaceKey>> NamespacesOf(
    const std::vector<PidReference>& pids, const SnapshotIndex& index) {
  absl::flat_hash_set<NamespaceKey> keys;
  if (pids.empty()) return keys;
  const nsdisc::PidMap map(index);
  for (const PidReference& reference : pids) {
    const absl::StatusOr<const Process*> process = FindProcess(reference, index, map);
    if (process.ok()) {
      AddNamespacesOf((*process)->namespaces(), &keys);
      continue;
    }
    const Process* const threads = reference == PidReference{reference.pid}
                                       ? index.ProcessOfThread(reference.pid.value)
                                       : nullptr;
    if (threads == nullptr) return process.status();
    for (const nsdisc::Thread& thread : threads->threads()) {
      if (thread.tid() == reference.pid.value) AddNamespacesOf(thread.namespaces(), &keys);
    }
  }
  return keys;
}

absl::StatusOr<absl::flat_hash_set<NamespaceKey>> KeysOf(
    const std::vector<NamespaceReference>& references, const SnapshotIndex& index) {
  absl::flat_hash_set<NamespaceKey> keys;
  for (const NamespaceReference& reference : references) {
    NSCTL_ASSIGN_OR_RETURN(const Namespace* const ns, FindNamespace(reference, index));
    keys.insert({*nsdisc::FromProto(ns->type()), ns->inode()});
  }
  return keys;
}

bool IsAtOrBelow(absl::string_view path, absl::string_view cgroup) {
  if (!absl::ConsumePrefix(&path, absl::StripSuffix(cgroup, "/"))) return false;
  return path.empty() || path[0] == '/';
}

bool IsInCgroup(const nsdisc::Cgroups& cgroups, absl::string_view cgroup) {
  return (cgroups.has_unified() && IsAtOrBelow(cgroups.unified(), cgroup)) ||
         absl::c_any_of(cgroups.v1(), [&](const nsdisc::Cgroups::V1& v1) {
           return IsAtOrBelow(v1.path(), cgroup);
         });
}

// The namespaces of all processes in `cgroup`, stored text, and below, in whichever hierarchy;
// nullopt where there is no such process.
std::optional<absl::flat_hash_set<NamespaceKey>> NamespacesIn(const std::string& cgroup,
                                                              const nsdisc::Snapshot& snapshot) {
  std::optional<absl::flat_hash_set<NamespaceKey>> keys;
  for (const Process& process : snapshot.processes()) {
    const bool has_cgroups =
        process.has_cgroups() && process.cgroups() < static_cast<uint32_t>(snapshot.cgroups_size());
    if (has_cgroups && IsInCgroup(snapshot.cgroups(static_cast<int>(process.cgroups())), cgroup)) {
      if (!keys.has_value()) keys.emplace();
      AddNamespacesOf(process.namespaces(), &*keys);
    }
  }
  return keys;
}

// The same of `cgroup` as the kernel spells it, or else as results do.
absl::StatusOr<absl::flat_hash_set<NamespaceKey>> NamespacesInAny(
    const std::string& cgroup, const nsdisc::Snapshot& snapshot) {
  if (cgroup.empty()) return absl::flat_hash_set<NamespaceKey>();
  auto keys = NamespacesIn(base::EncodeText(cgroup), snapshot);
  if (!keys.has_value()) {
    const std::optional<std::string> bytes = base::DecodeText(cgroup);
    if (bytes.has_value()) keys = NamespacesIn(base::EncodeText(*bytes), snapshot);
  }
  if (keys.has_value()) return *std::move(keys);
  return absl::NotFoundError(
      absl::StrCat("no process is in the control group ", QuotedArgument(cgroup)));
}

NamespaceRow::State StateOf(const Namespace& ns, const std::vector<nsdisc::HolderCount>& holders) {
  if (ns.process_count() > 0 || ns.loose_threads_size() > 0) return NamespaceRow::active;
  if (ns.dark()) return NamespaceRow::dark;
  if (ns.for_children_of_size() > 0) return NamespaceRow::pending;
  return holders.empty() ? NamespaceRow::unknown : NamespaceRow::persistent;
}

void FillRow(const Namespace& ns, const SnapshotIndex& index, NamespaceRow* row) {
  *row->mutable_namespace_() = ns;
  if (const Process* process = index.RepresentativeOf(ns)) {
    *row->mutable_representative() = *process;
    row->mutable_representative()->clear_cgroups();
    row->mutable_representative()->clear_container();
    row->set_cgroup(index.CgroupPathOf(*process));
    const auto container = ContainerReferenceOf(index.snapshot(), *process);
    if (container.has_value()) *row->mutable_container() = *container;
  }
  if (ns.type() == Namespace::user) {
    row->set_owned_count(static_cast<uint32_t>(index.OwnedBy(ns.inode()).size()));
  }
}

// What a namespace must have to be listed, beside its type and members.
bool HasStateAndHolders(const std::vector<nsdisc::HolderCount>& holders, NamespaceRow::State state,
                        const ListFilter& filter) {
  if (!filter.states.empty() && !absl::c_linear_search(filter.states, state)) return false;
  return filter.held_by.empty() || absl::c_any_of(holders, [&](const nsdisc::HolderCount& holder) {
           return absl::c_linear_search(filter.held_by, holder.kind);
         });
}

bool IsOwnedBy(const Namespace& ns, uint32_t owner) {
  return ns.type() == Namespace::user ? ns.has_parent() && ns.parent() == owner
                                      : ns.has_owner() && ns.owner() == owner;
}

}  // namespace

absl::StatusOr<NamespaceList> BuildNamespaceList(const nsdisc::Snapshot& snapshot,
                                                 const ListFilter& filter) {
  const SnapshotIndex index(snapshot);
  NSCTL_ASSIGN_OR_RETURN(const absl::flat_hash_set<NamespaceKey> wanted,
                         NamespacesOf(filter.pids, index));
  NSCTL_ASSIGN_OR_RETURN(const absl::flat_hash_set<NamespaceKey> named,
                         KeysOf(filter.namespaces, index));
  NSCTL_ASSIGN_OR_RETURN(const absl::flat_hash_set<NamespaceKey> in_cgroup,
                         NamespacesInAny(filter.cgroup, snapshot));
  if (filter.owner.has_value()) {
    NSCTL_RETURN_IF_ERROR(FindNamespace({NamespaceType::kUser, *filter.owner}, index).status());
  }
  const auto passes = [&](const Namespace& ns) {
    const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
    if (!filter.types.empty() &&
        (!type.has_value() || !absl::c_linear_search(filter.types, *type))) {
      return false;
    }
    const auto is_among = [&](const absl::flat_hash_set<NamespaceKey>& keys) {
      return type.has_value() && keys.contains({*type, ns.inode()});
    };
    return (filter.namespaces.empty() || is_among(named)) &&
           (filter.pids.empty() || is_among(wanted)) &&
           (filter.cgroup.empty() || is_among(in_cgroup)) &&
           (!filter.owner.has_value() || IsOwnedBy(ns, *filter.owner));
  };

  NamespaceList list;
  *list.mutable_taken_at() = snapshot.taken_at();
  *list.mutable_host() = snapshot.host();
  list.set_mount_namespace(snapshot.scanner().namespaces().mnt());
  for (const Namespace& ns : snapshot.namespaces()) {
    if (!passes(ns)) continue;
    const std::vector<nsdisc::HolderCount> holders = nsdisc::HoldersOf(index, ns);
    const NamespaceRow::State state = StateOf(ns, holders);
    if (!HasStateAndHolders(holders, state, filter)) continue;
    NamespaceRow* const row = list.add_rows();
    FillRow(ns, index, row);
    row->set_state(state);
    for (const nsdisc::HolderCount& holder : holders) {
      HeldBy* const held_by = row->add_held_by();
      held_by->set_kind(nsdisc::HolderKindName(holder.kind));
      held_by->set_count(holder.count);
    }
  }
  *list.mutable_gaps() = snapshot.gaps();
  return list;
}

}  // namespace nsctl::cmd
