// How PlaceMounts (mount_tree.h) makes a tree of rows, step by step.

#ifndef NSCTL_MOUNTTREE_MOUNT_TREE_BUILDER_H_
#define NSCTL_MOUNTTREE_MOUNT_TREE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {

class MountTreeBuilder {
 public:
  explicit MountTreeBuilder(MountNamespace* mounts) : mounts_(*mounts) {}

  MountTree Build();

 private:
  static constexpr uint32_t kNone = MountTree::kNone;

  struct Verdict {
    Mount::Visibility visibility = Mount::unknown;
    // A row; kNone for none.
    uint32_t hider = kNone;
  };

  // What the walk along one path did, so that it can be taken back for the next path.
  struct Frame {
    uint32_t path_id;
    // How long exits_ was before.
    size_t exits;
  };

  const Mount& Row(uint32_t row) const { return mounts_.mounts(static_cast<int>(row)); }
  uint32_t size() const { return static_cast<uint32_t>(mounts_.mounts_size()); }

  void FindParents();
  void BreakCircles();
  void ListChildren();
  void SortByPath();
  // The row that was put into by_path_ last has this path.
  void AddToPath(absl::string_view path);
  void NumberPaths();
  void FindStacks();

  // Walks along every path, parents first, and tells what is seen there.
  void Walk();
  void WalkTo(uint32_t path_id);
  // Goes from the mount `from` (size() for the place outside of all) to the mount `to` on it.
  void Exit(uint32_t from, uint32_t to);
  void Judge(uint32_t row, uint32_t seen);
  // Says of what is mounted on hidden mounts that it is hidden by the same.
  void Inherit();

  void WriteRows();
  void Note(uint32_t row, const std::string& what);
  void FinishNotes();

  MountNamespace& mounts_;
  MountTree tree_;
  // By row: its path_id. Kept beside the messages, which are far apart in memory, as is all else
  // here that is looked up out of the rows' order.
  std::vector<uint32_t> path_ids_;
  std::vector<Verdict> verdicts_;
  // By row: the row mounted on its root at the same path; kNone where there is none.
  std::vector<uint32_t> stacked_;
  // By row, and for size(): where the walk along the current path left that mount to; kNone where
  // it did not.
  std::vector<uint32_t> left_to_;
  // The mounts left, in order.
  std::vector<uint32_t> exits_;
  std::vector<Frame> frames_;
  // By row: some walk came there.
  std::vector<bool> reached_;
  size_t notes_ = 0;
};

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_TREE_BUILDER_H_
