#include "cmd/inspect_result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/list_result.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/containers.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/portable_reference.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::SnapshotIndex;

// The row of `ns` in a list.
absl::StatusOr<NamespaceRow> RowOf(const SnapshotIndex& index, const Namespace& ns) {
  ListFilter filter;
  const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
  if (type.has_value()) filter.types.push_back(*type);
  NSCTL_ASSIGN_OR_RETURN(NamespaceList list, BuildNamespaceList(index.snapshot(), filter));
  for (NamespaceRow& row : *list.mutable_rows()) {
    if (row.namespace_().inode() == ns.inode()) return std::move(row);
  }
  return absl::InternalError(absl::StrCat(NamespaceText(ns), " is in no list"));
}

// What is told of a namespace that is an owner or parent.
void FillRelative(NamespaceType type, uint32_t inode, const SnapshotIndex& index,
                  Namespace* relative) {
  relative->set_type(nsdisc::ToProto(type));
  relative->set_inode(inode);
  const Namespace* const known = index.FindNamespace(type, inode);
  if (known == nullptr) return;
  if (known->initial()) relative->set_initial(true);
  if (known->has_owner_uid()) relative->set_owner_uid(known->owner_uid());
  if (known->has_owner_user()) relative->set_owner_user(known->owner_user());
}

void FillName(const SnapshotIndex& index, NamespaceType type, uint32_t inode, NamespaceName* name) {
  name->set_type(nsdisc::ToProto(type));
  name->set_inode(inode);
  const Namespace* const ns = index.FindNamespace(type, inode);
  if (ns != nullptr && ns->initial()) name->set_initial(true);
}

void FillName(const Namespace& ns, NamespaceName* name) {
  name->set_type(ns.type());
  name->set_inode(ns.inode());
  if (ns.initial()) name->set_initial(true);
}

absl::Status InspectNamespace(const SnapshotIndex& index, const Namespace& ns,
                              InspectedNamespace* inspected) {
  NSCTL_ASSIGN_OR_RETURN(*inspected->mutable_row(), RowOf(index, ns));
  if (ns.has_owner()) {
    FillRelative(NamespaceType::kUser, ns.owner(), index, inspected->mutable_owner());
  }
  const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
  if (ns.has_parent() && type.has_value()) {
    FillRelative(*type, ns.parent(), index, inspected->mutable_parent());
  }
  for (const int32_t pid : ns.leaders()) {
    const Process* const leader = index.FindProcess(pid);
    if (leader == nullptr) continue;
    Process* const added = inspected->add_leaders();
    *added = *leader;
    added->clear_cgroups();
    added->clear_container();
  }
  if (type == NamespaceType::kUser) {
    for (const Namespace* owned : index.OwnedBy(ns.inode())) {
      FillName(*owned, inspected->add_owned());
    }
  }
  *inspected->mutable_reference() = nsdisc::MakePortableReference(index, ns);
  return absl::OkStatus();
}

class ProcessInspector {
 public:
  ProcessInspector(const SnapshotIndex& index, const Process& process, InspectedProcess* inspected)
      : index_(index), process_(process), inspected_(*inspected) {}

  void Inspect() {
    *inspected_.mutable_process() = process_;
    inspected_.mutable_process()->clear_cgroups();
    inspected_.mutable_process()->clear_container();
    const Process* const parent = index_.FindProcess(process_.parent_pid());
    if (parent != nullptr) inspected_.set_parent_name(parent->name());
    for (const nsdisc::PidMap::Number& number : nsdisc::PidMap(index_).NumbersOf(process_)) {
      PidInNamespace* const added = inspected_.add_pids();
      if (number.pid_namespace.has_value()) added->set_pid_namespace(*number.pid_namespace);
      added->set_pid(number.pid);
    }
    const auto& cgroups = index_.snapshot().cgroups();
    if (process_.has_cgroups() && process_.cgroups() < static_cast<uint32_t>(cgroups.size())) {
      *inspected_.mutable_cgroups() = cgroups[static_cast<int>(process_.cgroups())];
    }
    if (const auto container = ContainerReferenceOf(index_.snapshot(), process_)) {
      *inspected_.mutable_container() = *container;
    }
    AddNamespaces();
    for (const nsdisc::Thread& thread : process_.threads()) tids_.insert(thread.tid());
    for (const Namespace& ns : index_.snapshot().namespaces()) AddHolds(ns);
  }

 private:
  void AddNamespaces() {
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const std::optional<uint32_t> own = nsdisc::NamespaceOf(process_.namespaces(), info.type);
      if (own.has_value()) {
        ProcessNamespace* const added = inspected_.add_namespaces();
        FillName(index_, info.type, *own, added->mutable_namespace_());
        const Namespace* const ns = index_.FindNamespace(info.type, *own);
        added->set_leads(ns != nullptr && absl::c_linear_search(ns->leaders(), process_.pid()));
      }
      const std::optional<uint32_t> children =
          nsdisc::ForChildrenOf(process_.namespaces(), info.type);
      if (!children.has_value() || children == own) continue;
      ProcessNamespace* const added = inspected_.add_namespaces();
      FillName(index_, info.type, *children, added->mutable_namespace_());
      added->set_for_children(true);
    }
  }

  ProcessHolds* AddHold(const Namespace& ns, const char* kind) {
    ProcessHolds* const holds = inspected_.add_holds();
    FillName(ns, holds->mutable_namespace_());
    holds->set_kind(kind);
    return holds;
  }

  void AddHolds(const Namespace& ns) {
    for (const int32_t tid : ns.loose_threads()) {
      if (tids_.contains(tid)) AddHold(ns, "thread")->set_tid(tid);
    }
    for (const int32_t tid : ns.for_children_of()) {
      if (tid == process_.pid()) {
        AddHold(ns, "for-children");
      } else if (tids_.contains(tid)) {
        AddHold(ns, "for-children")->set_tid(tid);
      }
    }
    AddDescriptors(ns, ns.fds());
    AddDescriptors(ns, ns.sockets());
  }

  void AddDescriptors(const Namespace& ns,
                      const google::protobuf::RepeatedPtrField<nsdisc::FdHolder>& descriptors) {
    for (const nsdisc::FdHolder& descriptor : descriptors) {
      if (descriptor.pid() == process_.pid()) {
        *AddHold(ns, KindText(descriptor))->mutable_fd() = descriptor;
      }
    }
  }

  static const char* KindText(const nsdisc::FdHolder& descriptor) {
    switch (descriptor.kind()) {
      case nsdisc::FdHolder::tun:
        return "tun";
      case nsdisc::FdHolder::pidfd:
        return "pidfd";
      case nsdisc::FdHolder::socket:
        return "socket";
      default:
        return "fd";
    }
  }

  const SnapshotIndex& index_;
  const Process& process_;
  InspectedProcess& inspected_;
  absl::flat_hash_set<int32_t> tids_;
};

// What is known of the container by its processes.
void InspectProcesses(const SnapshotIndex& index, const TargetInSnapshot& target,
                      InspectedContainer* inspected) {
  const nsdisc::Snapshot& snapshot = index.snapshot();
  for (const Process& process : snapshot.processes()) {
    if (nsdisc::ContainerOf(snapshot, process) != target.container) continue;
    Process* const added = inspected->add_processes();
    *added = process;
    added->clear_cgroups();
    added->clear_container();
    added->clear_threads();
  }
  if (target.process == nullptr) return;
  InspectedProcess init;
  ProcessInspector(index, *target.process, &init).Inspect();
  inspected->mutable_namespaces()->Swap(init.mutable_namespaces());
  inspected->mutable_cgroups()->Swap(init.mutable_cgroups());
  const Process* const parent = index.FindProcess(target.process->parent_pid());
  if (parent == nullptr) return;
  if (const auto outer = ContainerReferenceOf(snapshot, *parent))
    *inspected->mutable_outer() = *outer;
}

void InspectContainer(const SnapshotIndex& index, const TargetInSnapshot& target,
                      InspectedContainer* inspected) {
  const ContainerLists lists(index.snapshot());
  *inspected->mutable_container() = *target.container;
  const engines::Engine* const engine = EngineOf(lists, *target.container);
  if (engine != nullptr) *inspected->mutable_engine() = *engine;
  inspected->set_place(PlaceOf(lists, *target.container));
  const engines::Pod* const pod = PodOf(lists, *target.container);
  if (pod != nullptr) *inspected->mutable_pod() = *pod;
  InspectProcesses(index, target, inspected);
}

}  // namespace

absl::StatusOr<Inspection> BuildInspection(const SnapshotIndex& index,
                                           const TargetInSnapshot& target) {
  Inspection inspection;
  const nsdisc::Snapshot& snapshot = index.snapshot();
  *inspection.mutable_taken_at() = snapshot.taken_at();
  *inspection.mutable_host() = snapshot.host();
  absl::flat_hash_set<std::string> subjects;
  if (target.container != nullptr) {
    InspectContainer(index, target, inspection.mutable_container());
    subjects.insert(target.container->engine());
    if (target.process != nullptr) subjects.insert(absl::StrCat("pid:", target.process->pid()));
  } else if (target.process != nullptr) {
    ProcessInspector(index, *target.process, inspection.mutable_process()).Inspect();
    subjects.insert(absl::StrCat("pid:", target.process->pid()));
    for (const nsdisc::Thread& thread : target.process->threads()) {
      subjects.insert(absl::StrCat("tid:", thread.tid()));
    }
  } else {
    NSCTL_RETURN_IF_ERROR(InspectNamespace(index, *target.ns, inspection.mutable_namespace_()));
    subjects.insert(NamespaceText(*target.ns));
  }
  for (const nsdisc::Gap& gap : snapshot.gaps()) {
    if (subjects.contains(gap.subject()) || nsdisc::IsOfEngine(gap, snapshot)) {
      *inspection.add_gaps() = gap;
    }
  }
  return inspection;
}

}  // namespace nsctl::cmd
