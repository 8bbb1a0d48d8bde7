// How mount events travel between mounts of any number of mount namespaces.
//
// A mount or unmount on a shared mount happens on all mounts of its peer group, and on the mounts
// that have this group as their master (slaves); a slave that is itself in a peer group hands it on
// to that group, and so on. Peer groups are numbers of the whole kernel, so mounts of different
// namespaces are compared by them.
//
//   PropagationGraph graph({&host, &container});
//   for (const MountRef& mount : graph.ReachedFrom({0, row})) ...
//
// Source: mount_namespaces(7), Documentation/filesystems/sharedsubtree.rst.

#ifndef NSCTL_MOUNTTREE_PROPAGATION_H_
#define NSCTL_MOUNTTREE_PROPAGATION_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {

// A mount among those of several namespaces.
struct MountRef {
  // Index into what the graph was made of.
  uint32_t mount_namespace = 0;
  // Index into MountNamespace::mounts.
  uint32_t row = 0;

  friend bool operator==(const MountRef&, const MountRef&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const MountRef&, const MountRef&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const MountRef& ref) {
    return H::combine(std::move(h), ref.mount_namespace, ref.row);
  }
};

// One peer group that some mount is in or receives from.
struct PeerGroup {
  uint64_t id = 0;
  // The mounts in it, ascending. Empty where only slaves of it are among the namespaces.
  std::vector<MountRef> members;
  // The mounts that receive from it directly, ascending.
  std::vector<MountRef> slaves;
  // The group that its members receive from. 0 for none.
  uint64_t master = 0;
};

// Where an event arrives.
struct PropagatedEvent {
  MountRef mount;
  // Where on it, in its namespace (stored text); the mount point itself for an event at the mount's
  // root.
  std::string path;
  // How many groups it was handed down from: 0 for a peer.
  uint32_t hops = 0;

  friend bool operator==(const PropagatedEvent&, const PropagatedEvent&) = default;
};

class PropagationGraph {
 public:
  // The namespaces must outlive the graph and not change. Linear.
  explicit PropagationGraph(std::vector<const MountNamespace*> namespaces);

  // By id.
  const std::vector<PeerGroup>& groups() const { return groups_; }
  // nullptr where no mount is in it or receives from it.
  const PeerGroup* FindGroup(uint64_t id) const;

  // The mounts, but for `from` itself, on which a mount or unmount on `from` happens as well,
  // ascending. Empty for a mount that is not shared.
  std::vector<MountRef> ReachedFrom(MountRef from) const;

  // The same for an event at `path` (stored text, absolute, in the namespace of `from` and below
  // its mount point): only mounts whose part of the file system has that place get it, and where it
  // is on each. Ordered by mount.
  std::vector<PropagatedEvent> ReachedFromPath(MountRef from, absl::string_view path) const;

  // The mounts that go when `mount` is unmounted, but for itself, ascending: those that lie at the
  // same place of the mounts which the event reaches. Left out are those that something else is
  // mounted on, which does not go as well: the kernel spares them. It also spares those that are
  // locked, which is not told. `trees` are those of the namespaces, in their order.
  std::vector<MountRef> UnmountedWith(MountRef mount,
                                      const std::vector<const MountTree*>& trees) const;

  // The mounts, but for `to` itself, from which an event reaches `to`: its peers, and the members
  // of the groups above. Ascending.
  std::vector<MountRef> ReachesTo(MountRef to) const;

 private:
  struct Step {
    const PeerGroup* group;
    uint32_t hops;
  };

  struct Reach {
    MountRef mount;
    uint32_t hops;
    friend bool operator==(const Reach&, const Reach&) = default;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
    friend auto operator<=>(const Reach&, const Reach&) = default;
  };

  const Mount& MountOf(MountRef ref) const;
  // Drops those that keep something mounted on them.
  void KeepUnburdened(const std::vector<const MountTree*>& trees,
                      std::vector<MountRef>* mounts) const;
  PeerGroup& GroupWithId(uint64_t id);
  // `first` and all groups below it, each once.
  std::vector<Step> GroupsBelow(uint64_t first) const;

  // The mounts that an event on `from` reaches, but for itself, ascending.
  std::vector<Reach> Reached(MountRef from) const;

  std::vector<const MountNamespace*> namespaces_;
  std::vector<PeerGroup> groups_;
  absl::flat_hash_map<uint64_t, size_t> index_;
};

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_PROPAGATION_H_
