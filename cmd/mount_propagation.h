// What the mounts of several namespaces have to do with each other, as `nsctl mounts` tells it.

#ifndef NSCTL_CMD_MOUNT_PROPAGATION_H_
#define NSCTL_CMD_MOUNT_PROPAGATION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"
#include "cmd/mounts.pb.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "mounttree/propagation.h"

namespace nsctl::cmd {

class MountPropagation {
 public:
  // Both are borrowed; `trees` are those of `namespaces`.
  MountPropagation(std::vector<const mounttree::MountNamespace*> namespaces,
                   const std::vector<mounttree::MountTree>& trees);

  // Adds the peer groups of the rows that are `chosen` (by namespace and row), their masters, and
  // the groups that they hand down to.
  void AddGroups(const std::vector<std::vector<bool>>& chosen, MountList* list) const;

  // Fills mount_reaches and unmount_reaches of the mount `row` of the namespace `index`.
  void AddReaches(size_t index, uint32_t row, MountRow* to) const;

 private:
  const mounttree::Mount& MountOf(mounttree::MountRef ref) const;
  void FillPlace(mounttree::MountRef ref, MountPlace* place) const;
  void AddWithGroupsBelow(uint64_t id, absl::btree_set<uint64_t>* ids) const;

  std::vector<const mounttree::MountNamespace*> namespaces_;
  std::vector<const mounttree::MountTree*> trees_;
  mounttree::PropagationGraph graph_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_PROPAGATION_H_
