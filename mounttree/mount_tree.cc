#include "mounttree/mount_tree.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_path.h"
#include "mounttree/mount_tree_builder.h"

namespace nsctl::mounttree {

std::optional<uint32_t> MountTree::ParentOf(uint32_t row) const {
  if (parents_[row] == kNone) return std::nullopt;
  return parents_[row];
}

absl::Span<const uint32_t> MountTree::ChildrenOf(uint32_t row) const {
  return absl::MakeConstSpan(children_).subspan(first_child_[row],
                                                first_child_[row + 1] - first_child_[row]);
}

absl::Span<const uint32_t> MountTree::MountsAt(const Path& path) const {
  return absl::MakeConstSpan(by_path_).subspan(path.first_mount, path.mount_count);
}

void MountTree::Visit(absl::FunctionRef<void(uint32_t row, size_t depth)> visit) const {
  struct Place {
    uint32_t row;
    size_t depth;
  };
  std::vector<Place> waiting;
  const auto push = [&](absl::Span<const uint32_t> rows, size_t depth) {
    for (size_t i = rows.size(); i > 0; --i) waiting.push_back({rows[i - 1], depth});
  };
  push(roots_, 0);
  while (!waiting.empty()) {
    const Place place = waiting.back();
    waiting.pop_back();
    visit(place.row, place.depth);
    push(ChildrenOf(place.row), place.depth + 1);
  }
}

std::optional<uint32_t> MountTree::FindHolder(absl::string_view path) const {
  const auto behind = std::upper_bound(
      paths_.begin(), paths_.end(), path,
      [](absl::string_view a, const Path& b) { return ComparePaths(a, b.path) < 0; });
  // The longest path above is the one before, or one that is above that as well.
  uint32_t id = static_cast<uint32_t>(behind - paths_.begin());
  while (id != 0 && !IsAtOrBelow(path, paths_[id - 1].path)) id = paths_[id - 1].parent_id;
  if (id == 0) return std::nullopt;
  return paths_[id - 1].seen;
}

MountTree PlaceMounts(MountNamespace* mounts) {
  MountTreeBuilder builder(mounts);
  return builder.Build();
}

}  // namespace nsctl::mounttree
