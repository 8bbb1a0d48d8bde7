#include "cmd/tree_result.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "cmd/pid_reference.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/holders.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;

using Nodes = google::protobuf::RepeatedPtrField<NamespaceTree::Node>;

using Keys = absl::flat_hash_set<std::pair<Namespace::Type, uint32_t>>;

// The kernel nests 33 levels (user_namespaces(7), pid_namespaces(7)). Protobuf reads messages that
// are nested up to 100 deep.
constexpr int kDeepest = 48;

class TreeBuilder {
 public:
  TreeBuilder(const Snapshot& snapshot, const TreeRequest& request)
      : snapshot_(snapshot), request_(request), index_(snapshot) {}

  absl::StatusOr<NamespaceTree> Build() {
    CollectHierarchy();
    NamespaceTree tree;
    *tree.mutable_taken_at() = snapshot_.taken_at();
    *tree.mutable_host() = snapshot_.host();
    tree.set_view(request_.view);
    for (const Namespace* root : roots_) {
      NSCTL_RETURN_IF_ERROR(FillNode(*root, 1, tree.add_roots()));
    }
    if (request_.view != NamespaceTree::pid) AddOwnerless(&tree);
    if (request_.view == NamespaceTree::mnt) Prune(tree.mutable_roots());
    if (!request_.pids.empty()) {
      NSCTL_ASSIGN_OR_RETURN(const Keys keys, KeysOfProcesses());
      KeepOnly(keys, tree.mutable_roots());
    }
    *tree.mutable_gaps() = snapshot_.gaps();
    return tree;
  }

 private:
  // Sorts the view's namespaces into roots and children.
  void CollectHierarchy() {
    const Namespace::Type type =
        request_.view == NamespaceTree::pid ? Namespace::pid : Namespace::user;
    const base::NamespaceType table_type = *nsdisc::FromProto(type);
    for (const Namespace& ns : snapshot_.namespaces()) {
      if (ns.type() != type) continue;
      if (ns.has_parent() && index_.FindNamespace(table_type, ns.parent()) != nullptr) {
        children_[ns.parent()].push_back(&ns);
      } else {
        roots_.push_back(&ns);
      }
    }
  }

  absl::Status FillNode(const Namespace& ns, int depth, NamespaceTree::Node* node) {
    if (depth > kDeepest) {
      return absl::InvalidArgumentError(absl::StrCat(NamespaceText(ns), " is nested deeper than ",
                                                     kDeepest, " levels, which no kernel allows"));
    }
    FillSelf(ns, node);
    if (request_.view == NamespaceTree::pid) {
      FillOwner(ns, node);
    } else if (!request_.without_owned) {
      AddOwned(index_.OwnedBy(ns.inode()), OwnedField(node));
    }
    const auto children = children_.find(ns.inode());
    if (children == children_.end()) return absl::OkStatus();
    for (const Namespace* child : children->second) {
      NSCTL_RETURN_IF_ERROR(FillNode(*child, depth + 1, node->add_children()));
    }
    return absl::OkStatus();
  }

  void FillSelf(const Namespace& ns, NamespaceTree::Node* node) {
    *node->mutable_namespace_() = ns;
    if (request_.details) {
      for (const nsdisc::HolderCount& holder : nsdisc::HoldersOf(index_, ns)) {
        HeldBy* const held_by = node->add_held_by();
        held_by->set_kind(nsdisc::HolderKindName(holder.kind));
        held_by->set_count(holder.count);
      }
    }
    const Process* representative = index_.RepresentativeOf(ns);
    if (representative == nullptr) return;
    AddLeader(*representative, node);
    if (!request_.all_leaders) return;
    for (const int32_t pid : ns.leaders()) {
      const Process* leader = index_.FindProcess(pid);
      if (leader != nullptr && leader != representative) AddLeader(*leader, node);
    }
  }

  void AddLeader(const Process& process, NamespaceTree::Node* node) {
    NamespaceTree::Leader* leader = node->add_leaders();
    *leader->mutable_process() = process;
    leader->mutable_process()->clear_cgroups();
    leader->mutable_process()->clear_container();
    leader->set_cgroup(index_.CgroupPathOf(process));
    const auto container = ContainerReferenceOf(index_.snapshot(), process);
    if (container.has_value()) *leader->mutable_container() = *container;
  }

  void FillOwner(const Namespace& ns, NamespaceTree::Node* node) {
    if (!ns.has_owner()) return;
    Namespace* owner = node->mutable_owner();
    owner->set_type(Namespace::user);
    owner->set_inode(ns.owner());
    const Namespace* known = index_.FindNamespace(base::NamespaceType::kUser, ns.owner());
    if (known == nullptr) return;
    if (known->has_owner_uid()) owner->set_owner_uid(known->owner_uid());
    if (known->has_owner_user()) owner->set_owner_user(known->owner_user());
  }

  bool IsWanted(const Namespace& ns) const {
    if (request_.view == NamespaceTree::mnt) return ns.type() == Namespace::mnt;
    const std::optional<base::NamespaceType> type = nsdisc::FromProto(ns.type());
    return request_.owned_types.empty() ||
           (type.has_value() && absl::c_linear_search(request_.owned_types, *type));
  }

  void AddOwned(absl::Span<const Namespace* const> owned, Nodes* nodes) {
    std::vector<const Namespace*> sorted;
    for (const Namespace* ns : owned) {
      if (IsWanted(*ns)) sorted.push_back(ns);
    }
    // By inode they are already.
    absl::c_stable_sort(
        sorted, [](const Namespace* a, const Namespace* b) { return TypeText(*a) < TypeText(*b); });
    for (const Namespace* ns : sorted) FillSelf(*ns, nodes->Add());
  }

  // Leaves out user namespaces below which there is nothing. As deep as FillNode lets trees be.
  static void Prune(Nodes* nodes) {
    for (NamespaceTree::Node& node : *nodes) Prune(node.mutable_children());
    const auto is_empty = [](const NamespaceTree::Node& node) {
      return node.children().empty() && node.namespace_().type() != Namespace::mnt;
    };
    nodes->erase(std::remove_if(nodes->begin(), nodes->end(), is_empty), nodes->end());
  }

  // The namespaces of the processes that were asked for.
  absl::StatusOr<Keys> KeysOfProcesses() const {
    const nsdisc::PidMap pids(index_);
    Keys keys;
    for (const PidReference& reference : request_.pids) {
      NSCTL_ASSIGN_OR_RETURN(const Process* process, FindProcess(reference, index_, pids));
      for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
        const auto inode = nsdisc::NamespaceOf(process->namespaces(), info.type);
        if (inode.has_value()) keys.insert({nsdisc::ToProto(info.type), *inode});
      }
    }
    return keys;
  }

  // Leaves out what is neither among `keys` nor above one of them. As deep as FillNode lets it be.
  static void KeepOnly(const Keys& keys, Nodes* nodes) {
    const auto is_left_out = [&keys](const NamespaceTree::Node& node) {
      return node.children().empty() && node.owned().empty() &&
             !keys.contains({node.namespace_().type(), node.namespace_().inode()});
    };
    for (NamespaceTree::Node& node : *nodes) {
      KeepOnly(keys, node.mutable_children());
      KeepOnly(keys, node.mutable_owned());
    }
    nodes->erase(std::remove_if(nodes->begin(), nodes->end(), is_left_out), nodes->end());
  }

  // A tree of owners has a place for every namespace, even where its owner could not be asked for.
  void AddOwnerless(NamespaceTree* tree) {
    if (request_.without_owned) return;
    std::vector<const Namespace*> ownerless;
    for (const Namespace& ns : snapshot_.namespaces()) {
      if (ns.type() == Namespace::user) continue;
      const bool owner_is_here =
          ns.has_owner() && index_.FindNamespace(base::NamespaceType::kUser, ns.owner()) != nullptr;
      if (!owner_is_here && IsWanted(ns)) ownerless.push_back(&ns);
    }
    if (ownerless.empty()) return;
    AddOwned(ownerless, OwnedField(tree->add_roots()));
  }

  Nodes* OwnedField(NamespaceTree::Node* node) const {
    return request_.view == NamespaceTree::user ? node->mutable_owned() : node->mutable_children();
  }

  const Snapshot& snapshot_;
  const TreeRequest& request_;
  const SnapshotIndex index_;
  std::vector<const Namespace*> roots_;
  absl::flat_hash_map<uint32_t, std::vector<const Namespace*>> children_;
};

}  // namespace

absl::StatusOr<NamespaceTree> BuildNamespaceTree(const Snapshot& snapshot,
                                                 const TreeRequest& request) {
  return TreeBuilder(snapshot, request).Build();
}

}  // namespace nsctl::cmd
