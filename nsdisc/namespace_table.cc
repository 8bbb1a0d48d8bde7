#include "nsdisc/namespace_table.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <optional>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/text.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::NamespaceTypeInfo;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

// How many members of a namespace are tried before it counts as vanished: enough to outlast a few
// that end meanwhile, few enough for a namespace whose thousand members all refuse.
constexpr size_t kMaxTries = 8;

uint64_t KeyOf(NamespaceType type, uint32_t inode) {
  return uint64_t{static_cast<uint8_t>(type)} << 32 | inode;
}

GapSubject SubjectOf(NamespaceType type, uint32_t inode) {
  return {.kind = GapSubject::kNamespace, .number = inode, .type = type};
}

const Process* FindParent(const google::protobuf::RepeatedPtrField<Process>& processes,
                          const Process& process) {
  const auto found =
      absl::c_lower_bound(processes, process.parent_pid(),
                          [](const Process& one, int32_t pid) { return one.pid() < pid; });
  return found != processes.end() && found->pid() == process.parent_pid() ? &*found : nullptr;
}

const char* LinkOf(NamespaceType type, bool for_children) {
  const NamespaceTypeInfo& info = base::InfoOf(type);
  return for_children ? info.for_children_entry : info.name;
}

// The process's or thread's directory; the error of whichever open failed.
absl::StatusOr<ProcessDir> OpenHolder(const Procfs& procfs, pid_t pid, pid_t tid) {
  absl::StatusOr<ProcessDir> process = procfs.OpenProcess({pid});
  if (!process.ok() || tid == 0) return process;
  return process->OpenThread({tid});
}

// Records an errno that is no fact: EPERM at the initial namespaces says that there is nothing
// above.
void AddRelationGap(const NamespaceFacts& facts, absl::string_view operation, int error,
                    absl::string_view consequence, bool is_top, GapList* gaps) {
  if (error == 0 || (is_top && error == EPERM)) return;
  gaps->Add(SubjectOf(facts.type, facts.id.inode), operation, error, consequence);
}

}  // namespace

void NamespaceTable::AddProcesses(const google::protobuf::RepeatedPtrField<Process>& processes) {
  for (const Process& process : processes) {
    AddProcess(process, FindParent(processes, process));
    for (const Thread& thread : process.threads()) AddThread(process, thread);
  }
  has_user_namespaces_ = absl::c_any_of(
      entries_, [](const auto& entry) { return entry.second->type == NamespaceType::kUser; });
  FinishLeaders();
  MarkInitial();
}

NamespaceTable::TraceLosses NamespaceTable::Trace(const Procfs& procfs, Lineage& lineage,
                                                  const UserNames* users) {
  TraceLosses losses;
  for (Entry* entry : SortedEntries()) {
    // One that was found upward from another is known already, and still reached through its own.
    if (entry->traced) {
      SetReference(HoldersOf(*entry), procfs, entry);
    } else {
      TraceEntry(*entry, procfs, lineage, users, &losses);
    }
  }
  MarkInitial();
  LinkChildren();
  return losses;
}

void NamespaceTable::MoveTo(absl::Span<const NamespaceType> types,
                            google::protobuf::RepeatedPtrField<Namespace>* namespaces) {
  for (Entry* entry : SortedEntries()) {
    if (!types.empty() && !absl::c_linear_search(types, entry->type)) continue;
    *namespaces->Add() = std::move(entry->message);
  }
  entries_.clear();
}

NamespaceTable::Entry& NamespaceTable::FindOrAdd(NamespaceType type, uint32_t inode) {
  std::unique_ptr<Entry>& entry = entries_[KeyOf(type, inode)];
  if (entry == nullptr) {
    entry = std::make_unique<Entry>();
    entry->type = type;
    entry->inode = inode;
    entry->message.set_type(ToProto(type));
    entry->message.set_inode(inode);
  }
  return *entry;
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
      Entry& entry = FindOrAdd(info.type, *inode);
      entry.message.set_process_count(entry.message.process_count() + 1);
      entry.has_kernel_thread |= process.kernel_thread();
      if (parent == nullptr || NamespaceOf(parent->namespaces(), info.type) != inode) {
        entry.leaders.push_back({process.start_time(), process.pid()});
      }
    }
    const std::optional<uint32_t> children = ForChildrenOf(process.namespaces(), info.type);
    if (children.has_value() && children != inode) {
      Entry& entry = FindOrAdd(info.type, *children);
      entry.message.add_for_children_of(process.pid());
      entry.other_holders.push_back({.pid = process.pid(), .tid = 0, .for_children = true});
    }
  }
}

void NamespaceTable::AddThread(const Process& process, const Thread& thread) {
  for (const NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const std::optional<uint32_t> inode = NamespaceOf(thread.namespaces(), info.type);
    if (inode.has_value() && inode != NamespaceOf(process.namespaces(), info.type)) {
      Entry& entry = FindOrAdd(info.type, *inode);
      entry.message.add_loose_threads(thread.tid());
      entry.other_holders.push_back(
          {.pid = process.pid(), .tid = thread.tid(), .for_children = false});
    }
    const std::optional<uint32_t> children = ForChildrenOf(thread.namespaces(), info.type);
    if (children.has_value() && children != inode &&
        children != ForChildrenOf(process.namespaces(), info.type)) {
      Entry& entry = FindOrAdd(info.type, *children);
      entry.message.add_for_children_of(thread.tid());
      entry.other_holders.push_back(
          {.pid = process.pid(), .tid = thread.tid(), .for_children = true});
    }
  }
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

std::vector<NamespaceTable::Holder> NamespaceTable::HoldersOf(const Entry& entry) {
  std::vector<Holder> holders;
  for (const Leader& leader : entry.leaders) holders.push_back({.pid = leader.pid});
  holders.insert(holders.end(), entry.other_holders.begin(), entry.other_holders.end());
  if (holders.size() > kMaxTries) holders.resize(kMaxTries);
  return holders;
}

// The first of `holders` is the way to the namespace; without any there is none.
void NamespaceTable::SetReference(absl::Span<const Holder> holders, const Procfs& procfs,
                                  Entry* entry) {
  if (holders.empty()) return;
  const Holder& holder = holders.front();
  const std::string thread = holder.tid == 0 ? "" : absl::StrCat("/task/", holder.tid);
  entry->message.add_reference(base::EncodeText(absl::StrCat(
      procfs.path(), "/", holder.pid, thread, "/ns/", LinkOf(entry->type, holder.for_children))));
}

void NamespaceTable::TraceEntry(Entry& entry, const Procfs& procfs, Lineage& lineage,
                                const UserNames* users, TraceLosses* losses) {
  const auto is_known = [&](NamespaceType type, base::NamespaceId id) {
    const auto found = entries_.find(KeyOf(type, id.inode));
    return found != entries_.end() && found->second->traced;
  };
  const std::vector<Holder> holders = HoldersOf(entry);
  int error = ESRCH;
  for (size_t i = 0; i < holders.size(); ++i) {
    const absl::StatusOr<ProcessDir> dir = OpenHolder(procfs, holders[i].pid, holders[i].tid);
    const absl::StatusOr<std::vector<NamespaceFacts>> facts =
        dir.ok() ? lineage.Trace(*dir, LinkOf(entry.type, holders[i].for_children), is_known)
                 : absl::StatusOr<std::vector<NamespaceFacts>>(dir.status());
    if (!facts.ok()) {
      error = base::ErrnoOf(facts.status());
      continue;
    }
    // The holder may have moved on since its links were read.
    if (facts->empty() || facts->front().id.inode != entry.inode) continue;
    SetReference(absl::MakeConstSpan(holders).subspan(i), procfs, &entry);
    for (const NamespaceFacts& one : *facts) AddFacts(one, users, &losses->gaps);
    return;
  }
  SetReference(holders, procfs, &entry);
  if (procfs.is_kernel() && base::IsGone(error)) {
    ++losses->vanished_namespaces;
  } else {
    losses->gaps.Add(SubjectOf(entry.type, entry.inode),
                     absl::StrCat("open ns/", base::InfoOf(entry.type).name), error,
                     "its owner, parent and ids are unknown");
  }
}

void NamespaceTable::AddFacts(const NamespaceFacts& facts, const UserNames* users, GapList* gaps) {
  Entry& entry = FindOrAdd(facts.type, facts.id.inode);
  if (entry.traced) return;
  entry.traced = true;
  Namespace& message = entry.message;
  message.set_device_major(major(facts.id.device));
  message.set_device_minor(minor(facts.id.device));
  if (facts.kernel_id.value.has_value()) message.set_kernel_id(*facts.kernel_id.value);

  const NamespaceTypeInfo& info = base::InfoOf(facts.type);
  const bool is_top = facts.id.inode == info.initial_inode;
  if (info.hierarchical) {
    if (facts.parent.value.has_value()) message.set_parent(facts.parent.value->inode);
    AddRelationGap(facts, "ioctl NS_GET_PARENT", facts.parent.error, "its parent is unknown",
                   is_top, gaps);
  }
  if (facts.type == NamespaceType::kUser) {
    if (!facts.owner_uid.value.has_value()) {
      AddRelationGap(facts, "ioctl NS_GET_OWNER_UID", facts.owner_uid.error,
                     "its creator is unknown", false, gaps);
      return;
    }
    message.set_owner_uid(*facts.owner_uid.value);
    if (users == nullptr) return;
    const auto name = users->find(*facts.owner_uid.value);
    if (name != users->end()) message.set_owner_user(base::EncodeText(name->second));
    return;
  }
  if (facts.owner.value.has_value()) message.set_owner(facts.owner.value->inode);
  // A kernel without user namespaces refuses as one that hides them does.
  AddRelationGap(facts, "ioctl NS_GET_USERNS", facts.owner.error, "its owner is unknown",
                 !has_user_namespaces_, gaps);
}

void NamespaceTable::LinkChildren() {
  for (Entry* entry : SortedEntries()) {
    if (!entry->message.has_parent()) continue;
    FindOrAdd(entry->type, entry->message.parent()).message.add_children(entry->inode);
  }
}

}  // namespace nsctl::nsdisc
