#include "cmd/why_result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/namespace_type.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/unseen_holders.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/containers.h"
#include "nsdisc/holders.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::HolderKind;
using nsdisc::HolderKindName;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;

using Descriptors = google::protobuf::RepeatedPtrField<nsdisc::FdHolder>;
using NamespaceKey = std::pair<NamespaceType, uint32_t>;

HolderKind KindOf(const nsdisc::FdHolder& descriptor) {
  switch (descriptor.kind()) {
    case nsdisc::FdHolder::tun:
      return HolderKind::kTun;
    case nsdisc::FdHolder::pidfd:
      return HolderKind::kPidfd;
    case nsdisc::FdHolder::socket:
      return HolderKind::kSocket;
    default:
      return HolderKind::kFd;
  }
}

class WhyBuilder {
 public:
  WhyBuilder(const SnapshotIndex& index, const WhyRequest& request)
      : index_(index), snapshot_(index.snapshot()) {
    if (request.all_processes) CollectMembers();
  }

  WhyAlive Build(absl::Span<const Namespace* const> targets) {
    *why_.mutable_taken_at() = snapshot_.taken_at();
    *why_.mutable_host() = snapshot_.host();
    for (const Namespace* ns : targets) Enqueue(*ns, 0);
    why_.set_targets(static_cast<uint32_t>(queue_.size()));
    // Grows meanwhile.
    for (size_t i = 0; i < queue_.size(); ++i) {
      const auto [ns, distance] = queue_[i];
      Fill(*ns, distance, why_.add_namespaces());
    }
    AddGaps();
    return std::move(why_);
  }

 private:
  static bool IsTarget(const KeptNamespace& kept) { return kept.distance() == 0; }

  void CollectMembers() {
    for (const Process& process : snapshot_.processes()) {
      for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
        const std::optional<uint32_t> inode = nsdisc::NamespaceOf(process.namespaces(), info.type);
        if (inode.has_value()) members_[{info.type, *inode}].push_back(process.pid());
      }
    }
  }

  void Enqueue(const Namespace& ns, uint32_t distance) {
    const std::optional<NamespaceType> type = nsdisc::FromProto(ns.type());
    if (!type.has_value() || (distance > 0 && ns.initial())) return;
    if (met_.insert({*type, ns.inode()}).second) queue_.emplace_back(&ns, distance);
  }

  // What `type` and `inode` name holds a namespace at `distance`.
  void AddNamespace(NamespaceType type, uint32_t inode, uint32_t distance, Holder* holder) {
    holder->mutable_namespace_()->set_type(nsdisc::ToProto(type));
    holder->mutable_namespace_()->set_inode(inode);
    const Namespace* const known = index_.FindNamespace(type, inode);
    if (known == nullptr) return;
    if (known->initial()) holder->mutable_namespace_()->set_initial(true);
    Enqueue(*known, distance + 1);
  }

  void Fill(const Namespace& ns, uint32_t distance, KeptNamespace* kept) {
    Namespace* const shown = kept->mutable_namespace_();
    *shown = ns;
    shown->clear_fds();
    shown->clear_sockets();
    shown->clear_bind_mounts();
    kept->set_distance(distance);
    for (const nsdisc::HolderCount& holder : nsdisc::HoldersOf(index_, ns)) {
      HeldBy* const held_by = kept->add_held_by();
      held_by->set_kind(HolderKindName(holder.kind));
      held_by->set_count(holder.count);
    }
    kept->set_verdict(VerdictOn(ns, *kept));
    if (IsTarget(*kept) && !ns.initial()) {
      for (const std::string& line : UnseenOf(*nsdisc::FromProto(ns.type()))) {
        kept->add_unseen(line);
      }
    }
    AddMembers(ns, kept);
    AddDescriptors(ns.fds(), kept);
    AddDescriptors(ns.sockets(), kept);
    for (const nsdisc::BindMount& mount : ns.bind_mounts()) {
      Holder* const holder = AddHolder(HolderKind::kBindMount, kept);
      *holder->mutable_bind_mount() = mount;
      AddNamespace(NamespaceType::kMnt, mount.mount_namespace(), distance, holder);
    }
    AddRelatives(ns, distance, kept);
  }

  void AddMembers(const Namespace& ns, KeptNamespace* kept) {
    const auto members = members_.find({*nsdisc::FromProto(ns.type()), ns.inode()});
    if (members != members_.end()) {
      for (const int32_t pid : members->second) AddTask(HolderKind::kProcess, pid, kept);
    } else {
      for (const int32_t pid : ns.leaders()) AddTask(HolderKind::kProcess, pid, kept);
    }
    for (const int32_t tid : ns.loose_threads()) AddTask(HolderKind::kThread, tid, kept);
    for (const int32_t tid : ns.for_children_of()) AddTask(HolderKind::kForChildren, tid, kept);
  }

  void AddDescriptors(const Descriptors& list, KeptNamespace* kept) const {
    for (const HolderKind kind :
         {HolderKind::kFd, HolderKind::kTun, HolderKind::kPidfd, HolderKind::kSocket}) {
      for (const nsdisc::FdHolder& descriptor : list) {
        if (KindOf(descriptor) != kind) continue;
        Holder* const holder = AddHolder(kind, kept);
        holder->set_pid(descriptor.pid());
        if (descriptor.has_tid()) holder->set_tid(descriptor.tid());
        SetProcess(index_.FindProcess(descriptor.pid()), holder);
        *holder->mutable_fd() = descriptor;
      }
    }
  }

  void AddRelatives(const Namespace& ns, uint32_t distance, KeptNamespace* kept) {
    const NamespaceType type = *nsdisc::FromProto(ns.type());
    for (const uint32_t child : ns.children()) {
      AddNamespace(type, child, distance, AddHolder(HolderKind::kChild, kept));
    }
    if (type != NamespaceType::kUser) return;
    for (const Namespace* owned : index_.OwnedBy(ns.inode())) {
      const std::optional<NamespaceType> owned_type = nsdisc::FromProto(owned->type());
      if (!owned_type.has_value()) continue;
      AddNamespace(*owned_type, owned->inode(), distance, AddHolder(HolderKind::kOwned, kept));
    }
  }

  static Holder* AddHolder(HolderKind kind, KeptNamespace* kept) {
    Holder* const holder = kept->add_holders();
    holder->set_kind(HolderKindName(kind));
    return holder;
  }

  void SetProcess(const Process* process, Holder* holder) const {
    if (process == nullptr) return;
    holder->set_name(process->name());
    *holder->mutable_namespaced_pids() = process->namespaced_pids();
    const auto container = ContainerReferenceOf(snapshot_, *process);
    if (container.has_value()) *holder->mutable_container() = *container;
  }

  // `number`: a process's, or a thread's that is no main thread.
  void AddTask(HolderKind kind, int32_t number, KeptNamespace* kept) const {
    Holder* const holder = AddHolder(kind, kept);
    const Process* process = kind == HolderKind::kThread ? nullptr : index_.FindProcess(number);
    if (process == nullptr) {
      process = index_.ProcessOfThread(number);
      if (process != nullptr || kind == HolderKind::kThread) holder->set_tid(number);
    }
    if (process != nullptr) {
      holder->set_pid(process->pid());
    } else if (!holder->has_tid()) {
      holder->set_pid(number);
    }
    SetProcess(process, holder);
  }

  const std::vector<std::string>& UnseenOf(NamespaceType type) {
    const auto [unseen, is_new] = unseen_.try_emplace(type);
    if (is_new) unseen->second = DescribeUnseen(snapshot_, type);
    return unseen->second;
  }

  KeptNamespace::Verdict VerdictOn(const Namespace& ns, const KeptNamespace& kept) {
    if (ns.initial()) return KeptNamespace::never_ends;
    if (ns.dark()) return KeptNamespace::dark;
    if (kept.held_by().empty()) return KeptNamespace::ended;
    return UnseenOf(*nsdisc::FromProto(ns.type())).empty() ? KeptNamespace::held_in_sight
                                                           : KeptNamespace::may_have_more;
  }

  void AddGaps() {
    std::set<NamespaceType> types;
    absl::flat_hash_set<std::string> names;
    for (const KeptNamespace& kept : why_.namespaces()) {
      names.insert(NamespaceText(kept.namespace_()));
      if (IsTarget(kept) && !kept.namespace_().initial()) {
        types.insert(*nsdisc::FromProto(kept.namespace_().type()));
      }
    }
    for (const nsdisc::Gap& gap : snapshot_.gaps()) {
      // Without an engine's answer holders are told without their containers.
      bool matters = names.contains(gap.subject()) || nsdisc::IsOfEngine(gap, snapshot_);
      for (const NamespaceType type : types) matters = matters || MayHideHolders(gap, type);
      if (matters) *why_.add_gaps() = gap;
    }
  }

  const SnapshotIndex& index_;
  const Snapshot& snapshot_;
  WhyAlive why_;
  // By namespace, in ascending order; empty unless all processes are wanted.
  absl::flat_hash_map<NamespaceKey, std::vector<int32_t>> members_;
  absl::flat_hash_set<NamespaceKey> met_;
  // Namespaces with their distances.
  std::vector<std::pair<const Namespace*, uint32_t>> queue_;
  absl::flat_hash_map<NamespaceType, std::vector<std::string>> unseen_;
};

}  // namespace

WhyAlive BuildWhy(const SnapshotIndex& index, absl::Span<const Namespace* const> targets,
                  const WhyRequest& request) {
  return WhyBuilder(index, request).Build(targets);
}

}  // namespace nsctl::cmd
