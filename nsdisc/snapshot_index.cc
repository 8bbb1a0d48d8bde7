#include "nsdisc/snapshot_index.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

static_assert(Namespace::mnt == 1 + static_cast<int>(NamespaceType::kMnt) &&
                  Namespace::time == 1 + static_cast<int>(NamespaceType::kTime) &&
                  base::kNamespaceTypeCount == 8,
              "the two enums list the same types in the same order");

// The fields of NamespaceSet that belong to one type.
struct InodeField {
  bool (NamespaceSet::*has)() const;
  uint32_t (NamespaceSet::*get)() const;
  void (NamespaceSet::*set)(uint32_t);
};

// Indexed by NamespaceType.
constexpr std::array<InodeField, base::kNamespaceTypeCount> kInodeFields = {{
    {&NamespaceSet::has_mnt, &NamespaceSet::mnt, &NamespaceSet::set_mnt},
    {&NamespaceSet::has_cgroup, &NamespaceSet::cgroup, &NamespaceSet::set_cgroup},
    {&NamespaceSet::has_uts, &NamespaceSet::uts, &NamespaceSet::set_uts},
    {&NamespaceSet::has_ipc, &NamespaceSet::ipc, &NamespaceSet::set_ipc},
    {&NamespaceSet::has_user, &NamespaceSet::user, &NamespaceSet::set_user},
    {&NamespaceSet::has_pid, &NamespaceSet::pid, &NamespaceSet::set_pid},
    {&NamespaceSet::has_net, &NamespaceSet::net, &NamespaceSet::set_net},
    {&NamespaceSet::has_time, &NamespaceSet::time, &NamespaceSet::set_time},
}};

// Types that this program does not know come last, as they do in a newer schema.
int TypeRank(Namespace::Type type) {
  const std::optional<NamespaceType> known = FromProto(type);
  return known.has_value() ? static_cast<int>(*known) : static_cast<int>(kInodeFields.size());
}

bool HasController(const Cgroups::V1& v1, absl::string_view controller) {
  return absl::c_linear_search(absl::StrSplit(v1.controllers(), ','), controller);
}

}  // namespace

Namespace::Type ToProto(NamespaceType type) {
  return static_cast<Namespace::Type>(static_cast<int>(type) + 1);
}

std::optional<NamespaceType> FromProto(Namespace::Type type) {
  if (type < Namespace::mnt || type > Namespace::time) return std::nullopt;
  return static_cast<NamespaceType>(static_cast<int>(type) - 1);
}

std::optional<uint32_t> NamespaceOf(const NamespaceSet& set, NamespaceType type) {
  const InodeField& field = kInodeFields[static_cast<size_t>(type)];
  if (!(set.*field.has)()) return std::nullopt;
  return (set.*field.get)();
}

void SetNamespaceOf(NamespaceType type, uint32_t inode, NamespaceSet* set) {
  (set->*kInodeFields[static_cast<size_t>(type)].set)(inode);
}

std::optional<uint32_t> ForChildrenOf(const NamespaceSet& set, NamespaceType type) {
  if (type == NamespaceType::kPid && set.has_pid_for_children()) return set.pid_for_children();
  if (type == NamespaceType::kTime && set.has_time_for_children()) return set.time_for_children();
  return std::nullopt;
}

void SetForChildrenOf(NamespaceType type, uint32_t inode, NamespaceSet* set) {
  if (type == NamespaceType::kPid) set->set_pid_for_children(inode);
  if (type == NamespaceType::kTime) set->set_time_for_children(inode);
}

SnapshotIndex::SnapshotIndex(const Snapshot& snapshot) : snapshot_(snapshot) {
  for (const Namespace& ns : snapshot.namespaces()) {
    if (ns.has_owner()) owned_[ns.owner()].push_back(&ns);
  }
  for (const Process& process : snapshot.processes()) {
    for (const Thread& thread : process.threads()) threads_.emplace_back(thread.tid(), &process);
  }
  // Stable, so that a TID that was dealt twice during the scan gives the same answer every time.
  absl::c_stable_sort(threads_, [](const auto& a, const auto& b) { return a.first < b.first; });
}

const Namespace* SnapshotIndex::FindNamespace(NamespaceType type, uint32_t inode) const {
  const auto& all = snapshot_.namespaces();
  const auto key = std::make_tuple(static_cast<int>(type), inode);
  const auto found =
      absl::c_lower_bound(all, key, [](const Namespace& ns, const std::tuple<int, uint32_t>& k) {
        return std::make_tuple(TypeRank(ns.type()), ns.inode()) < k;
      });
  const bool matches =
      found != all.end() && found->type() == ToProto(type) && found->inode() == inode;
  return matches ? &*found : nullptr;
}

const Process* SnapshotIndex::FindProcess(int32_t pid) const {
  const auto& all = snapshot_.processes();
  const auto found = absl::c_lower_bound(
      all, pid, [](const Process& process, int32_t key) { return process.pid() < key; });
  return found != all.end() && found->pid() == pid ? &*found : nullptr;
}

const Process* SnapshotIndex::ProcessOfThread(int32_t tid) const {
  const auto found = absl::c_lower_bound(
      threads_, tid, [](const auto& thread, int32_t key) { return thread.first < key; });
  return found != threads_.end() && found->first == tid ? found->second : nullptr;
}

const Process* SnapshotIndex::RepresentativeOf(const Namespace& ns) const {
  const Process* process = ns.has_ealdorman() ? FindProcess(ns.ealdorman()) : nullptr;
  if (process == nullptr && ns.loose_threads_size() > 0) {
    process = ProcessOfThread(ns.loose_threads(0));
  }
  if (process == nullptr && ns.for_children_of_size() > 0) {
    process = FindProcess(ns.for_children_of(0));
    if (process == nullptr) process = ProcessOfThread(ns.for_children_of(0));
  }
  return process;
}

const std::string& SnapshotIndex::CgroupPathOf(const Process& process) const {
  static const std::string* const unknown = new std::string;
  const auto index = static_cast<int64_t>(process.cgroups());
  if (!process.has_cgroups() || index >= snapshot_.cgroups_size()) return *unknown;
  const Cgroups& cgroups = snapshot_.cgroups(static_cast<int>(index));
  const std::string* path = cgroups.has_unified() ? &cgroups.unified() : unknown;
  for (const absl::string_view controller : {"cpu", "name=systemd"}) {
    for (const Cgroups::V1& v1 : cgroups.v1()) {
      // "/" says no more than that the hierarchy is there.
      const bool says_more = path->empty() || (*path == "/" && v1.path() != "/");
      if (says_more && HasController(v1, controller)) path = &v1.path();
    }
  }
  return *path;
}

absl::Span<const Namespace* const> SnapshotIndex::OwnedBy(uint32_t owner) const {
  const auto found = owned_.find(owner);
  if (found == owned_.end()) return {};
  return found->second;
}

}  // namespace nsctl::nsdisc
