// The half of namespace_table.h that asks for owners and parents, and concludes from them.

#include <errno.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/text.h"
#include "nsdisc/namespace_table.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using base::NamespaceTypeInfo;
using procfsroot::Procfs;

GapSubject SubjectOf(NamespaceType type, uint32_t inode) {
  return {.kind = GapSubject::kNamespace, .number = inode, .type = type};
}

// What was tried in vain, for gaps.
std::string OperationOf(const NamespaceWay& way, NamespaceType type) {
  switch (way.kind) {
    case NamespaceWay::Kind::kLink:
      return absl::StrCat("open ns/", base::InfoOf(type).name);
    case NamespaceWay::Kind::kFd:
      return "open fd";
    case NamespaceWay::Kind::kSocket:
    case NamespaceWay::Kind::kTun:
      return "ioctl SIOCGSKNS";
    case NamespaceWay::Kind::kPath:
      return "open bind mount";
    case NamespaceWay::Kind::kHandle:
      return "open_by_handle_at";
  }
  return "open";
}

// Records an errno that is no fact: EPERM at the initial namespaces says that there is nothing
// above.
void AddRelationGap(const NamespaceFacts& facts, absl::string_view operation, int error,
                    absl::string_view consequence, bool is_top, GapList* gaps) {
  if (error == 0 || (is_top && error == EPERM)) return;
  gaps->Add(SubjectOf(facts.type, facts.id.inode), operation, error, consequence);
}

// Mount namespaces are looked at as they are found.
void SortBindMounts(Namespace* ns) {
  absl::c_sort(*ns->mutable_bind_mounts(), [](const BindMount& a, const BindMount& b) {
    return std::forward_as_tuple(a.mount_namespace(), a.path(), a.mount_id()) <
           std::forward_as_tuple(b.mount_namespace(), b.path(), b.mount_id());
  });
}

// As OpenNamespaceFileAt says it.
bool IsSilence(int error) { return error == ETIMEDOUT || error == EBUSY; }

bool IsGoneOrElse(int error) { return base::IsGone(error) || error == ESTALE || error == EBADF; }

}  // namespace

void NamespaceTable::Trace(const Procfs& procfs, Lineage& lineage, const UserNames* users) {
  // What is found upward is traced at once, so the entries at the start are all that there are.
  for (Entry* entry : SortedEntries()) {
    if (!entry->traced) TraceEntry(*entry, procfs, lineage, users);
  }
}

std::vector<NamespaceTarget> NamespaceTable::ListedOnly() const {
  std::vector<NamespaceTarget> listed;
  for (const Entry* entry : SortedEntries()) {
    if (!entry->seen && entry->source >= SourceReport::mount_namespace_list) {
      listed.push_back({entry->type, entry->inode});
    }
  }
  return listed;
}

void NamespaceTable::MarkSeen(const NamespaceTarget& target) {
  const auto found = entries_.find(KeyOf(target.type, target.inode));
  if (found != entries_.end()) found->second->seen = true;
}

void NamespaceTable::Forget(const NamespaceTarget& target) {
  entries_.erase(KeyOf(target.type, target.inode));
}

NamespaceTable::Losses NamespaceTable::Finish(const Procfs& procfs, bool tells_dark) {
  DropVanishedListed();
  MarkInitial();
  for (Entry* entry : SortedEntries()) {
    ++losses_.found[entry->source];
    SortBindMounts(&entry->message);
    for (const std::string& path : BestReference(*entry, procfs)) {
      entry->message.add_reference(base::EncodeText(path));
    }
    if (entry->traced) continue;
    const std::vector<NamespaceWay> ways = WaysOf(*entry);
    const GapSubject subject = SubjectOf(entry->type, entry->inode);
    if (ways.empty()) {
      losses_.gaps.Add(subject, entry->message.bind_mounts().empty() ? "open" : "open bind mount",
                       ENODATA, "no path leads to it: its owner, parent and ids are unknown");
    } else if (procfs.is_kernel() && IsGoneOrElse(entry->error)) {
      ++losses_.vanished_namespaces;
    } else {
      // The error is that of the last one.
      const NamespaceWay& way = ways[std::max<size_t>(entry->tried_ways, 1) - 1];
      losses_.gaps.Add(subject, OperationOf(way, entry->type), entry->error,
                       IsSilence(entry->error)
                           ? "a file system on the way did not answer: its owner, parent and ids "
                             "are unknown"
                           : "its owner, parent and ids are unknown");
    }
  }
  if (losses_.vanished_namespaces > 0) {
    losses_.gaps.Add({}, "open ns", ESRCH,
                     "owner, parent and ids of those that ended meanwhile are unknown",
                     losses_.vanished_namespaces);
  }
  LinkChildren();
  if (tells_dark) MarkDark();
  return std::move(losses_);
}

// What failed before one that worked is no way any more.
std::vector<NamespaceWay> NamespaceTable::WorkingWaysOf(const Entry& entry) {
  std::vector<NamespaceWay> ways = WaysOf(entry);
  if (entry.traced && entry.tried_ways > 1) {
    ways.erase(ways.begin(), ways.begin() + static_cast<ptrdiff_t>(entry.tried_ways - 1));
  }
  return ways;
}

// The paths of the first way that has some.
std::vector<std::string> NamespaceTable::BestReference(const Entry& entry, const Procfs& procfs) {
  for (const NamespaceWay& way : WorkingWaysOf(entry)) {
    std::vector<std::string> reference = ReferenceOf(procfs, way, entry.type);
    if (!reference.empty()) return reference;
  }
  return {};
}

void NamespaceTable::TraceEntry(Entry& entry, const Procfs& procfs, Lineage& lineage,
                                const UserNames* users) {
  const auto is_known = [&](NamespaceType type, base::NamespaceId id) {
    const Entry* known = Find({type, id.inode});
    return known != nullptr && known->traced;
  };
  const std::vector<NamespaceWay> ways = WaysOf(entry);
  while (entry.tried_ways < ways.size()) {
    const NamespaceWay& way = ways[entry.tried_ways++];
    const absl::StatusOr<std::vector<NamespaceFacts>> facts =
        lineage.Trace(procfs, way, {entry.type, entry.inode}, is_known);
    if (!facts.ok()) {
      entry.error = base::ErrnoOf(facts.status());
      if (entry.error == 0)
        entry.error = absl::IsDeadlineExceeded(facts.status()) ? ETIMEDOUT : EIO;
      continue;
    }
    // The holder may have moved on since it was looked at.
    if (facts->empty() || facts->front().id.inode != entry.inode) {
      if (entry.error == 0) entry.error = ESRCH;
      continue;
    }
    for (const NamespaceFacts& one : *facts) AddFacts(one, users);
    return;
  }
}

void NamespaceTable::AddFacts(const NamespaceFacts& facts, const UserNames* users) {
  Entry& entry = FindOrAdd(SourceReport::relations, facts.type, facts.id.inode);
  if (entry.traced) return;
  entry.traced = true;
  Namespace& message = entry.message;
  message.set_device_major(major(facts.id.device));
  message.set_device_minor(minor(facts.id.device));
  if (facts.kernel_id.value.has_value()) message.set_kernel_id(*facts.kernel_id.value);
  if (facts.mount_count.value.has_value()) message.set_mount_count(*facts.mount_count.value);

  const NamespaceTypeInfo& info = base::InfoOf(facts.type);
  if (info.hierarchical) {
    if (facts.parent.value.has_value()) message.set_parent(facts.parent.value->inode);
    AddRelationGap(facts, "ioctl NS_GET_PARENT", facts.parent.error, "its parent is unknown",
                   facts.id.inode == info.initial_inode, &losses_.gaps);
  }
  if (facts.type == NamespaceType::kUser) {
    AddUserFacts(facts, users, &message);
    return;
  }
  if (facts.owner.value.has_value()) message.set_owner(facts.owner.value->inode);
  // A kernel without user namespaces refuses as one that hides them does.
  AddRelationGap(facts, "ioctl NS_GET_USERNS", facts.owner.error, "its owner is unknown",
                 !has_user_namespaces_, &losses_.gaps);
}

void NamespaceTable::AddUserFacts(const NamespaceFacts& facts, const UserNames* users,
                                  Namespace* message) {
  if (!facts.owner_uid.value.has_value()) {
    AddRelationGap(facts, "ioctl NS_GET_OWNER_UID", facts.owner_uid.error, "its creator is unknown",
                   false, &losses_.gaps);
    return;
  }
  message->set_owner_uid(*facts.owner_uid.value);
  if (users == nullptr) return;
  const auto name = users->find(*facts.owner_uid.value);
  if (name != users->end()) message->set_owner_user(base::EncodeText(name->second));
}

// What a list had at its time and nothing holds by now is no news.
void NamespaceTable::DropVanishedListed() {
  for (const NamespaceTarget& target : ListedOnly()) {
    const uint64_t key = KeyOf(target.type, target.inode);
    const Entry& entry = *entries_.at(key);
    if (!entry.traced && IsGoneOrElse(entry.error)) entries_.erase(key);
  }
}

void NamespaceTable::LinkChildren() {
  for (Entry* entry : SortedEntries()) {
    if (!entry->message.has_parent()) continue;
    FindOrAdd(SourceReport::relations, entry->type, entry->message.parent())
        .message.add_children(entry->inode);
  }
}

void NamespaceTable::MarkDark() {
  for (const Entry* entry : SortedEntries()) {
    if (entry->seen) MarkSeenUpward(*entry);
  }
  for (const auto& [key, entry] : entries_) {
    if (!entry->seen && !entry->message.initial()) entry->message.set_dark(true);
  }
}

// What owns a namespace, or is its parent, is held by it.
void NamespaceTable::MarkSeenUpward(const Entry& entry) {
  const auto mark = [&](NamespaceType type, uint32_t inode) {
    Entry& above = FindOrAdd(SourceReport::relations, type, inode);
    if (above.seen) return;
    above.seen = true;
    MarkSeenUpward(above);
  };
  if (entry.message.has_owner()) mark(NamespaceType::kUser, entry.message.owner());
  if (entry.message.has_parent()) mark(entry.type, entry.message.parent());
}

}  // namespace nsctl::nsdisc
