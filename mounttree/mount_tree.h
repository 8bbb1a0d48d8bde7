// The mounts of one mount namespace as a tree: by parent mount and by path, with what is visible.
//
// A mount is visible where the walk from the namespace's root along its mount point ends at it. The
// kernel's walk goes up at every directory that something is mounted on: to the mount on it, to the
// mount on that one's root, and so on. It begins at the topmost mount of the namespace's root,
// where setns(2) puts one; a process that stands on a root which was overmounted later still sees
// below.
//
// Any rows make a tree, however broken: each has exactly one place. A row whose parent is not
// there, or whose parents form a circle, is a root.
//
//   const MountTree tree = PlaceMounts(&mounts);
//   tree.Visit([](uint32_t row, size_t depth) { ... });

#ifndef NSCTL_MOUNTTREE_MOUNT_TREE_H_
#define NSCTL_MOUNTTREE_MOUNT_TREE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mounttree/mount.pb.h"

namespace nsctl::mounttree {

// Rows are named by their index in MountNamespace::mounts.
class MountTree {
 public:
  struct Path {
    // Of one of the mounts there; lives as long as the message.
    absl::string_view path;
    // The path_id of its parent path, 0 for none: as Mount::parent_path_id.
    uint32_t parent_id = 0;
    // MountsAt has those rows.
    uint32_t first_mount = 0;
    uint32_t mount_count = 0;
    // The mount that a walk along the path ends at: one of those there, or, where they are all
    // hidden, the mount that is there instead. Absent where no mount holds the path.
    std::optional<uint32_t> seen = std::nullopt;
  };

  // Mounts without a parent among the rows, ascending.
  const std::vector<uint32_t>& roots() const { return roots_; }
  // The row that `row` is mounted on.
  std::optional<uint32_t> ParentOf(uint32_t row) const;
  // The rows mounted on `row`, ascending.
  absl::Span<const uint32_t> ChildrenOf(uint32_t row) const;
  // By path, component by component; the one with path_id N is at N - 1.
  const std::vector<Path>& paths() const { return paths_; }
  // The rows at `path`, one of paths(), ascending. One of them at most is visible.
  absl::Span<const uint32_t> MountsAt(const Path& path) const;

  // Calls `visit` with every row once, parents before children, each with its depth below its root.
  void Visit(absl::FunctionRef<void(uint32_t row, size_t depth)> visit) const;

  // The mount that holds `path` (stored text): that of the longest path in paths() above or at it,
  // as a walk finds it. `path` is absolute and without ".", ".." and symlinks. Absent where there
  // is no such mount.
  std::optional<uint32_t> FindHolder(absl::string_view path) const;

  size_t size() const { return parents_.size(); }

 private:
  friend class MountTreeBuilder;

  static constexpr uint32_t kNone = ~uint32_t{0};

  std::vector<uint32_t> roots_;
  // By row; kNone for roots.
  std::vector<uint32_t> parents_;
  // The children of row N are children_[first_child_[N]] up to first_child_[N + 1].
  std::vector<uint32_t> first_child_;
  std::vector<uint32_t> children_;
  // Rows that have a path, by path, then ascending.
  std::vector<uint32_t> by_path_;
  std::vector<Path> paths_;
};

// Builds the tree of `mounts` and writes into each row where it is: path_id, parent_path_id,
// visibility and hidden_by; and into `notes` what is odd. Replaces what an earlier call wrote.
// Time n log n in the rows (linear but for sorting the paths); no recursion.
//
// Parents are found by unique_id where all rows have one, else by mount_id. Of several rows with
// the same id the first is their children's parent.
MountTree PlaceMounts(MountNamespace* mounts);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_TREE_H_
