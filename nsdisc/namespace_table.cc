#include "nsdisc/namespace_table.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/algorithm/container.h"
#include "base/text.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::NamespaceTypeInfo;

// How many ways to a namespace are kept: enough to outlast a few holders that end meanwhile, few
// enough for a namespace whose thousand members all refuse.
constexpr size_t kMaxWays = 8;

const Process* FindParent(const google::protobuf::RepeatedPtrField<Process>& processes,
                          const Process& process) {
  const auto found =
      absl::c_lower_bound(processes, process.parent_pid(),
                          [](const Process& one, int32_t pid) { return one.pid() < pid; });
  return found != processes.end() && found->pid() == process.parent_pid() ? &*found : nullptr;
}

NamespaceWay WayOf(const FdHolder& holder) {
  NamespaceWay way{.kind = NamespaceWay::Kind::kFd, .pid = holder.pid(), .tid = holder.tid()};
  if (holder.kind() == FdHolder::socket) way.kind = NamespaceWay::Kind::kSocket;
  if (holder.kind() == FdHolder::tun) way.kind = NamespaceWay::Kind::kTun;
  way.fd = holder.fd();
  return way;
}

void MarkAwaiting(const NamespaceSet& set, Namespace* ns) {
  if (ns->type() == Namespace::pid && set.awaits_first_child()) ns->set_awaits_first_process(true);
}

}  // namespace

void NamespaceTable::AddProcesses(const google::protobuf::RepeatedPtrField<Process>& processes) {
  for (const Process& process : processes) AddProcess(process, FindParent(processes, process));
  for (const Process& process : processes) {
    for (const Thread& thread : process.threads()) AddThread(process, thread);
  }
  has_user_namespaces_ = absl::c_any_of(
      entries_, [](const auto& entry) { return entry.second->type == NamespaceType::kUser; });
  FinishLeaders();
  MarkInitial();
}

void NamespaceTable::AddFdHolder(const NamespaceTarget& target, const FdHolder& holder) {
  const bool is_socket = holder.kind() == FdHolder::socket;
  Entry& entry =
      FindOrAdd(is_socket ? SourceReport::sockets : SourceReport::fds, target.type, target.inode);
  entry.seen = true;
  Namespace& message = entry.message;
  if (is_socket) {
    message.set_socket_count(message.socket_count() + 1);
    if (message.sockets_size() < kMaxHoldersListed) *message.add_sockets() = holder;
  } else {
    message.set_fd_count(message.fd_count() + 1);
    if (message.fds_size() < kMaxHoldersListed) *message.add_fds() = holder;
  }
  // A process's numbers keep its PID namespace, but through a pidfd of it no way leads there. Nor
  // does one to what is registered with an io_uring instance.
  if (holder.kind() != FdHolder::pidfd && holder.kind() != FdHolder::io_uring) {
    AddWay(entry, WayOf(holder));
  }
}

void NamespaceTable::AddBindMount(const NamespaceTarget& target, const BindMount& mount,
                                  std::optional<NamespaceWay> way) {
  Entry& entry = FindOrAdd(SourceReport::bind_mounts, target.type, target.inode);
  entry.seen = true;
  entry.message.set_bind_mount_count(entry.message.bind_mount_count() + 1);
  if (entry.message.bind_mounts_size() < kMaxHoldersListed) {
    *entry.message.add_bind_mounts() = mount;
  }
  if (way.has_value()) AddWay(entry, *std::move(way));
}

void NamespaceTable::AddListed(SourceReport::Source source, const NamespaceTarget& target,
                               uint64_t kernel_id) {
  Entry& entry = FindOrAdd(source, target.type, target.inode);
  // Where it cannot be opened, nothing else tells it.
  if (entry.source == source) entry.message.set_kernel_id(kernel_id);
  NamespaceWay way{.kind = NamespaceWay::Kind::kHandle};
  way.kernel_id = kernel_id;
  AddWay(entry, std::move(way));
}

Namespace* NamespaceTable::Mutable(const NamespaceTarget& target) {
  const auto found = entries_.find(KeyOf(target.type, target.inode));
  return found != entries_.end() ? &found->second->message : nullptr;
}

std::vector<NamespaceTable::Known> NamespaceTable::All(const procfsroot::Procfs& procfs,
                                                       NamespaceType type) const {
  std::vector<Known> all;
  for (const Entry* entry : SortedEntries()) {
    if (entry->type != type) continue;
    all.push_back({.target = {type, entry->inode},
                   .traced = entry->traced,
                   .kernel_id = entry->message.kernel_id(),
                   .mount_count = entry->message.mount_count(),
                   .ways = WorkingWaysOf(*entry),
                   .reference = BestReference(*entry, procfs)});
  }
  return all;
}

void NamespaceTable::ForEachKernelId(
    absl::FunctionRef<void(NamespaceType, uint64_t, uint32_t)> call) const {
  for (const auto& [key, entry] : entries_) {
    if (entry->message.has_kernel_id()) {
      call(entry->type, entry->message.kernel_id(), entry->inode);
    }
  }
}

void NamespaceTable::MoveTo(absl::Span<const NamespaceType> types,
                            google::protobuf::RepeatedPtrField<Namespace>* namespaces) {
  for (Entry* entry : SortedEntries()) {
    if (!types.empty() && !absl::c_linear_search(types, entry->type)) continue;
    *namespaces->Add() = std::move(entry->message);
  }
  entries_.clear();
}

NamespaceTable::Entry& NamespaceTable::FindOrAdd(SourceReport::Source source, NamespaceType type,
                                                 uint32_t inode) {
  std::unique_ptr<Entry>& entry = entries_[KeyOf(type, inode)];
  if (entry == nullptr) {
    entry = std::make_unique<Entry>();
    entry->type = type;
    entry->inode = inode;
    entry->source = source;
    entry->message.set_type(ToProto(type));
    entry->message.set_inode(inode);
  }
  return *entry;
}

const NamespaceTable::Entry* NamespaceTable::Find(const NamespaceTarget& target) const {
  const auto found = entries_.find(KeyOf(target.type, target.inode));
  return found != entries_.end() ? found->second.get() : nullptr;
}

std::vector<NamespaceTable::Entry*> NamespaceTable::SortedEntries() const {
  std::vector<Entry*> sorted;
  sorted.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) sorted.push_back(entry.get());
  absl::c_sort(sorted, [](const Entry* a, const Entry* b) {
    return KeyOf(a->type, a->inode) < KeyOf(b->type, b->inode);
  });
  return sorted;
}

void NamespaceTable::AddProcess(const Process& process, const Process* parent) {
  for (const NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::optional<uint32_t> inode = NamespaceOf(process.namespaces(), info.type);
    if (inode.has_value()) {
      Entry& entry = FindOrAdd(SourceReport::processes, info.type, *inode);
      entry.seen = true;
      entry.message.set_process_count(entry.message.process_count() + 1);
      // Of kernel threads kthreadd alone has no parent; another one has a mount namespace of its
      // own (kdevtmpfs).
      entry.has_kernel_thread |= process.kernel_thread() && process.parent_pid() == 0;
      if (parent == nullptr || NamespaceOf(parent->namespaces(), info.type) != inode) {
        entry.leaders.push_back({process.start_time(), process.pid()});
      }
    }
    const std::optional<uint32_t> children = ForChildrenOf(process.namespaces(), info.type);
    if (children.has_value() && children != inode) {
      Entry& entry = FindOrAdd(SourceReport::processes, info.type, *children);
      entry.seen = true;
      entry.message.add_for_children_of(process.pid());
      MarkAwaiting(process.namespaces(), &entry.message);
      AddWay(entry, {.pid = process.pid(), .for_children = true});
    }
  }
}

void NamespaceTable::AddThread(const Process& process, const Thread& thread) {
  for (const NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::optional<uint32_t> inode = NamespaceOf(thread.namespaces(), info.type);
    if (inode.has_value() && inode != NamespaceOf(process.namespaces(), info.type)) {
      Entry& entry = FindOrAdd(SourceReport::threads, info.type, *inode);
      entry.seen = true;
      entry.message.add_loose_threads(thread.tid());
      AddWay(entry, {.pid = process.pid(), .tid = thread.tid()});
    }
    const std::optional<uint32_t> children = ForChildrenOf(thread.namespaces(), info.type);
    if (children.has_value() && children != inode &&
        children != ForChildrenOf(process.namespaces(), info.type)) {
      Entry& entry = FindOrAdd(SourceReport::threads, info.type, *children);
      entry.seen = true;
      entry.message.add_for_children_of(thread.tid());
      MarkAwaiting(thread.namespaces(), &entry.message);
      AddWay(entry, {.pid = process.pid(), .tid = thread.tid(), .for_children = true});
    }
  }
}

void NamespaceTable::AddWay(Entry& entry, NamespaceWay way) {
  const auto same_kind = absl::c_count_if(
      entry.other_ways, [&](const NamespaceWay& one) { return one.kind == way.kind; });
  if (static_cast<size_t>(same_kind) < kMaxWays) entry.other_ways.push_back(std::move(way));
}

void NamespaceTable::FinishLeaders() {
  for (auto& [key, entry] : entries_) {
    // Processes came in the order of their PIDs, and so did leaders; threads did not.
    for (const Leader& leader : entry->leaders) entry->message.add_leaders(leader.pid);
    absl::c_sort(entry->leaders);
    if (!entry->leaders.empty()) entry->message.set_ealdorman(entry->leaders.front().pid);
    absl::c_sort(*entry->message.mutable_loose_threads());
    absl::c_sort(*entry->message.mutable_for_children_of());
  }
}

// The kernel fixes the initial namespaces' inodes. Kernels that still deal those of mnt and net are
// told by their own threads, which never leave the initial namespaces.
void NamespaceTable::MarkInitial() {
  for (const NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const auto fixed = entries_.find(KeyOf(info.type, info.initial_inode));
    if (fixed != entries_.end()) {
      fixed->second->message.set_initial(true);
      continue;
    }
    if (info.initial_inode_always_fixed) continue;
    for (auto& [key, entry] : entries_) {
      if (entry->type == info.type && entry->has_kernel_thread) entry->message.set_initial(true);
    }
  }
}

std::vector<NamespaceWay> NamespaceTable::WaysOf(const Entry& entry) {
  std::vector<NamespaceWay> ways;
  for (const Leader& leader : entry.leaders) {
    if (ways.size() == kMaxWays) break;
    ways.push_back({.pid = leader.pid});
  }
  ways.insert(ways.end(), entry.other_ways.begin(), entry.other_ways.end());
  return ways;
}

}  // namespace nsctl::nsdisc
