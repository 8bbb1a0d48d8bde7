// A tree of any rows has each of them in one place, and shows what a plain walk along each path
// finds.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"

namespace {

using nsctl::mounttree::Mount;
using nsctl::mounttree::MountNamespace;
using nsctl::mounttree::MountTree;

constexpr size_t kBytesOfRow = 3;

// Ids, parents and paths so few that rows often meet.
MountNamespace MakeRows(const uint8_t* data, size_t size) {
  MountNamespace mounts;
  for (size_t i = 0; i + kBytesOfRow <= size; i += kBytesOfRow) {
    Mount* const mount = mounts.add_mounts();
    mount->set_mount_id(data[i] % 32);
    mount->set_parent_id(data[i + 1] % 32);
    std::string path;
    for (uint8_t bits = data[i + 2]; bits > 1 && bits < 128; bits /= 4) {
      path += bits % 4 == 0 ? "/a" : bits % 4 == 1 ? "/b" : bits % 4 == 2 ? "/a-" : "/a\\\\";
    }
    if (data[i + 2] < 192) mount->set_mount_point(path.empty() ? "/" : path);
  }
  return mounts;
}

// The row on `at` (none: outside of all) at `path`; of several the last.
std::optional<uint32_t> RowOn(const MountNamespace& mounts, const MountTree& tree,
                              std::optional<uint32_t> at, const std::string& path) {
  for (uint32_t row = static_cast<uint32_t>(mounts.mounts_size()); row > 0; --row) {
    const Mount& mount = mounts.mounts(static_cast<int>(row - 1));
    if (mount.has_mount_point() && mount.mount_point() == path && tree.ParentOf(row - 1) == at) {
      return row - 1;
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> Walk(const MountNamespace& mounts, const MountTree& tree,
                             const std::string& path) {
  std::optional<uint32_t> at;
  for (size_t end = 0; end <= path.size(); ++end) {
    if (end != path.size() && end != 0 && path[end] != '/') continue;
    const std::string prefix = end == 0 ? "/" : path.substr(0, end);
    if (end != 0 && prefix == "/") continue;
    while (const auto next = RowOn(mounts, tree, at, prefix)) at = next;
  }
  return at;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MountNamespace mounts = MakeRows(data, size < 600 ? size : 600);
  const MountTree tree = PlaceMounts(&mounts);
  const std::string placed = mounts.SerializeAsString();

  std::vector<int> visits(static_cast<size_t>(mounts.mounts_size()), 0);
  size_t in_tree = tree.roots().size();
  tree.Visit([&](uint32_t row, size_t depth) {
    if (visits[row]++ != 0 || (depth == 0) != !tree.ParentOf(row).has_value()) abort();
    in_tree += tree.ChildrenOf(row).size();
  });
  if (in_tree != visits.size()) abort();
  size_t with_path = 0;
  for (const MountTree::Path& path : tree.paths()) with_path += tree.MountsAt(path).size();
  for (uint32_t row = 0; row < visits.size(); ++row) {
    const Mount& mount = mounts.mounts(static_cast<int>(row));
    if (visits[row] != 1 || mount.visibility() == Mount::unknown) abort();
    const bool is_visible = mount.visibility() == Mount::visible;
    if (mount.has_hidden_by() != (!is_visible && mount.visibility() != Mount::unreachable)) abort();
    if (!mount.has_mount_point()) continue;
    --with_path;
    const std::optional<uint32_t> seen = Walk(mounts, tree, mount.mount_point());
    if ((seen == row) != is_visible || tree.FindHolder(mount.mount_point()) != seen) abort();
  }
  if (with_path != 0) abort();
  PlaceMounts(&mounts);
  if (mounts.SerializeAsString() != placed) abort();
  return 0;
}
