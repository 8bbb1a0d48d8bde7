#include "mounttree/propagation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_path.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {
namespace {

void SortUnique(std::vector<MountRef>* mounts) {
  std::sort(mounts->begin(), mounts->end());
  mounts->erase(std::unique(mounts->begin(), mounts->end()), mounts->end());
}

}  // namespace

PropagationGraph::PropagationGraph(std::vector<const MountNamespace*> namespaces)
    : namespaces_(std::move(namespaces)) {
  for (uint32_t i = 0; i < namespaces_.size(); ++i) {
    for (int row = 0; row < namespaces_[i]->mounts_size(); ++row) {
      const Mount& mount = namespaces_[i]->mounts(row);
      const MountRef ref = {i, static_cast<uint32_t>(row)};
      if (mount.has_peer_group()) {
        PeerGroup& group = GroupWithId(mount.peer_group());
        group.members.push_back(ref);
        if (mount.has_master()) group.master = mount.master();
      }
      if (mount.has_master()) GroupWithId(mount.master()).slaves.push_back(ref);
    }
  }
  std::sort(groups_.begin(), groups_.end(),
            [](const PeerGroup& a, const PeerGroup& b) { return a.id < b.id; });
  for (size_t i = 0; i < groups_.size(); ++i) index_[groups_[i].id] = i;
}

PeerGroup& PropagationGraph::GroupWithId(uint64_t id) {
  const auto [place, is_new] = index_.try_emplace(id, groups_.size());
  if (is_new) groups_.emplace_back().id = id;
  return groups_[place->second];
}

const PeerGroup* PropagationGraph::FindGroup(uint64_t id) const {
  const auto place = index_.find(id);
  return place == index_.end() ? nullptr : &groups_[place->second];
}

const Mount& PropagationGraph::MountOf(MountRef ref) const {
  return namespaces_[ref.mount_namespace]->mounts(static_cast<int>(ref.row));
}

std::vector<PropagationGraph::Step> PropagationGraph::GroupsBelow(uint64_t first) const {
  std::vector<Step> steps;
  absl::flat_hash_set<const PeerGroup*> known;
  const auto add = [&](uint64_t id, uint32_t hops) {
    const PeerGroup* const group = FindGroup(id);
    if (group != nullptr && known.insert(group).second) steps.push_back({group, hops});
  };
  add(first, 0);
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step step = steps[i];
    for (const MountRef slave : step.group->slaves) {
      if (MountOf(slave).has_peer_group()) add(MountOf(slave).peer_group(), step.hops + 1);
    }
  }
  return steps;
}

std::vector<PropagationGraph::Reach> PropagationGraph::Reached(MountRef from) const {
  if (!MountOf(from).has_peer_group()) return {};
  std::vector<Reach> reached;
  for (const Step& step : GroupsBelow(MountOf(from).peer_group())) {
    for (const MountRef member : step.group->members) reached.push_back({member, step.hops});
    for (const MountRef slave : step.group->slaves) reached.push_back({slave, step.hops + 1});
  }
  std::sort(reached.begin(), reached.end());
  // A mount that is reached in several ways counts with the shortest.
  const auto same = [](const Reach& a, const Reach& b) { return a.mount == b.mount; };
  reached.erase(std::unique(reached.begin(), reached.end(), same), reached.end());
  std::erase_if(reached, [&](const Reach& reach) { return reach.mount == from; });
  return reached;
}

std::vector<MountRef> PropagationGraph::ReachedFrom(MountRef from) const {
  std::vector<MountRef> mounts;
  for (const Reach& reach : Reached(from)) mounts.push_back(reach.mount);
  return mounts;
}

std::vector<PropagatedEvent> PropagationGraph::ReachedFromPath(MountRef from,
                                                               absl::string_view path) const {
  const Mount& origin = MountOf(from);
  if (!origin.has_mount_point() || !IsAtOrBelow(path, origin.mount_point())) return {};
  const std::string place = MovePath(path, origin.mount_point(), origin.root());
  std::vector<PropagatedEvent> events;
  for (const Reach& reach : Reached(from)) {
    const Mount& mount = MountOf(reach.mount);
    if (!IsAtOrBelow(place, mount.root())) continue;
    events.push_back(
        {reach.mount,
         mount.has_mount_point() ? MovePath(place, mount.root(), mount.mount_point()) : "",
         reach.hops});
  }
  return events;
}

void PropagationGraph::KeepUnburdened(const std::vector<const MountTree*>& trees,
                                      std::vector<MountRef>* mounts) const {
  // One that stays may be what another one lies below: until none is left out any more.
  while (true) {
    const absl::flat_hash_set<MountRef> going(mounts->begin(), mounts->end());
    const auto is_burdened = [&](MountRef mount) {
      const absl::Span<const uint32_t> rows = trees[mount.mount_namespace]->ChildrenOf(mount.row);
      return absl::c_any_of(rows, [&](uint32_t row) {
        const MountRef child = {mount.mount_namespace, row};
        // What lies on its very root takes its place.
        return !going.contains(child) &&
               MountOf(child).mount_point() != MountOf(mount).mount_point();
      });
    };
    const auto end = std::remove_if(mounts->begin(), mounts->end(), is_burdened);
    if (end == mounts->end()) return;
    mounts->erase(end, mounts->end());
  }
}

std::vector<MountRef> PropagationGraph::UnmountedWith(
    MountRef mount, const std::vector<const MountTree*>& trees) const {
  const std::optional<uint32_t> parent = trees[mount.mount_namespace]->ParentOf(mount.row);
  if (!parent.has_value()) return {};
  std::vector<MountRef> mounts;
  const MountRef from = {mount.mount_namespace, *parent};
  for (const PropagatedEvent& event : ReachedFromPath(from, MountOf(mount).mount_point())) {
    const uint32_t ns = event.mount.mount_namespace;
    for (const uint32_t row : trees[ns]->ChildrenOf(event.mount.row)) {
      const MountRef child = {ns, row};
      if (MountOf(child).has_mount_point() && MountOf(child).mount_point() == event.path) {
        mounts.push_back(child);
      }
    }
  }
  SortUnique(&mounts);
  KeepUnburdened(trees, &mounts);
  return mounts;
}

std::vector<MountRef> PropagationGraph::ReachesTo(MountRef to) const {
  std::vector<MountRef> mounts;
  absl::flat_hash_set<uint64_t> known;
  const Mount& mount = MountOf(to);
  if (mount.has_peer_group()) {
    if (const PeerGroup* const group = FindGroup(mount.peer_group())) mounts = group->members;
    known.insert(mount.peer_group());
  }
  uint64_t master = mount.has_master() ? mount.master() : 0;
  while (master != 0 && known.insert(master).second) {
    const PeerGroup* const group = FindGroup(master);
    if (group == nullptr) break;
    mounts.insert(mounts.end(), group->members.begin(), group->members.end());
    master = group->master;
  }
  SortUnique(&mounts);
  std::erase(mounts, to);
  return mounts;
}

}  // namespace nsctl::mounttree
