#include "cmd/mount_propagation.h"

#include <utility>

namespace nsctl::cmd {

using mounttree::Mount;
using mounttree::MountRef;
using mounttree::PeerGroup;

MountPropagation::MountPropagation(std::vector<const mounttree::MountNamespace*> namespaces,
                                   const std::vector<mounttree::MountTree>& trees)
    : namespaces_(namespaces), graph_(std::move(namespaces)) {
  for (const mounttree::MountTree& tree : trees) trees_.push_back(&tree);
}

const Mount& MountPropagation::MountOf(MountRef ref) const {
  return namespaces_[ref.mount_namespace]->mounts(static_cast<int>(ref.row));
}

void MountPropagation::FillPlace(MountRef ref, MountPlace* place) const {
  const mounttree::MountNamespace& ns = *namespaces_[ref.mount_namespace];
  const Mount& mount = MountOf(ref);
  if (ns.has_inode()) place->set_mount_namespace(ns.inode());
  place->set_path(mount.mount_point());
  place->set_mount_id(mount.mount_id());
  if (mount.has_unique_id()) place->set_unique_id(mount.unique_id());
}

// Groups may hand down to each other in a chain as long as there are groups.
void MountPropagation::AddWithGroupsBelow(uint64_t id, absl::btree_set<uint64_t>* ids) const {
  std::vector<uint64_t> waiting = {id};
  while (!waiting.empty()) {
    const uint64_t next = waiting.back();
    waiting.pop_back();
    const PeerGroup* group = graph_.FindGroup(next);
    if (group == nullptr || !ids->insert(next).second) continue;
    for (const MountRef slave : group->slaves) {
      if (MountOf(slave).has_peer_group()) waiting.push_back(MountOf(slave).peer_group());
    }
  }
}

void MountPropagation::AddGroups(const std::vector<std::vector<bool>>& chosen,
                                 MountList* list) const {
  absl::btree_set<uint64_t> ids;
  absl::btree_set<uint64_t> masters;
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (size_t row = 0; row < chosen[i].size(); ++row) {
      if (!chosen[i][row]) continue;
      const Mount& mount = namespaces_[i]->mounts(static_cast<int>(row));
      if (mount.has_peer_group()) AddWithGroupsBelow(mount.peer_group(), &ids);
      if (mount.has_master()) masters.insert(mount.master());
    }
  }
  ids.insert(masters.begin(), masters.end());
  for (const uint64_t id : ids) {
    MountPeerGroup* group = list->add_peer_groups();
    group->set_id(id);
    const PeerGroup* found = graph_.FindGroup(id);
    if (found == nullptr) continue;
    if (found->master != 0) group->set_master(found->master);
    for (const MountRef member : found->members) FillPlace(member, group->add_members());
    for (const MountRef slave : found->slaves) FillPlace(slave, group->add_slaves());
  }
}

void MountPropagation::AddReaches(size_t index, uint32_t row, MountRow* to) const {
  const MountRef from{static_cast<uint32_t>(index), row};
  for (const MountRef reached : graph_.ReachedFrom(from)) {
    FillPlace(reached, to->add_mount_reaches());
  }
  for (const MountRef gone : graph_.UnmountedWith(from, trees_)) {
    FillPlace(gone, to->add_unmount_reaches());
  }
}

}  // namespace nsctl::cmd
