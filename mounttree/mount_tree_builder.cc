#include "mounttree/mount_tree_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_path.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {
namespace {

// Rows from a stranger may each be odd.
constexpr size_t kMaxNotes = 100;

bool HasUniqueIds(const MountNamespace& mounts) {
  return std::all_of(mounts.mounts().begin(), mounts.mounts().end(), [](const Mount& mount) {
    return mount.has_unique_id() && mount.has_unique_parent_id();
  });
}

}  // namespace

MountTree MountTreeBuilder::Build() {
  mounts_.clear_notes();
  FindParents();
  BreakCircles();
  ListChildren();
  SortByPath();
  NumberPaths();
  FindStacks();
  Walk();
  Inherit();
  WriteRows();
  FinishNotes();
  return std::move(tree_);
}

void MountTreeBuilder::FindParents() {
  const bool unique = HasUniqueIds(mounts_);
  const auto id = [&](const Mount& mount) {
    return unique ? mount.unique_id() : uint64_t{mount.mount_id()};
  };
  absl::flat_hash_map<uint64_t, uint32_t> rows;
  rows.reserve(size());
  for (uint32_t row = 0; row < size(); ++row) {
    if (!rows.try_emplace(id(Row(row)), row).second) Note(row, "its id is listed more than once");
  }
  tree_.parents_.assign(size(), kNone);
  for (uint32_t row = 0; row < size(); ++row) {
    const Mount& mount = Row(row);
    const auto parent = rows.find(unique ? mount.unique_parent_id() : mount.parent_id());
    // A namespace's first mount is its own parent.
    if (parent != rows.end() && parent->second != row) tree_.parents_[row] = parent->second;
  }
}

void MountTreeBuilder::BreakCircles() {
  // The number of the climb that came to a row first; 0 for none.
  std::vector<uint32_t> climbed(size(), 0);
  for (uint32_t start = 0; start < size(); ++start) {
    const uint32_t climb = start + 1;
    uint32_t row = start;
    while (row != kNone && climbed[row] == 0) {
      climbed[row] = climb;
      row = tree_.parents_[row];
    }
    if (row == kNone || climbed[row] != climb) continue;
    // The row where the circle closes; its lowest one becomes a root.
    uint32_t lowest = row;
    for (uint32_t i = tree_.parents_[row]; i != row; i = tree_.parents_[i]) {
      lowest = std::min(lowest, i);
    }
    tree_.parents_[lowest] = kNone;
    Note(lowest, "its parents form a circle");
  }
}

void MountTreeBuilder::ListChildren() {
  std::vector<uint32_t>& first = tree_.first_child_;
  first.assign(size() + 1, 0);
  for (uint32_t row = 0; row < size(); ++row) {
    const uint32_t parent = tree_.parents_[row];
    if (parent == kNone) {
      tree_.roots_.push_back(row);
    } else {
      ++first[parent + 1];
    }
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
  tree_.children_.resize(size() - tree_.roots_.size());
  std::vector<uint32_t> next(first.begin(), first.end() - 1);
  for (uint32_t row = 0; row < size(); ++row) {
    const uint32_t parent = tree_.parents_[row];
    if (parent != kNone) tree_.children_[next[parent]++] = row;
  }
}

void MountTreeBuilder::SortByPath() {
  // The paths beside the rows: looking each up in its message costs more than comparing.
  struct PathOfRow {
    absl::string_view path;
    uint32_t row;
  };
  std::vector<PathOfRow> sorted;
  sorted.reserve(size());
  for (uint32_t row = 0; row < size(); ++row) {
    if (Row(row).has_mount_point()) sorted.push_back({Row(row).mount_point(), row});
  }
  std::sort(sorted.begin(), sorted.end(), [](const PathOfRow& a, const PathOfRow& b) {
    const int order = ComparePaths(a.path, b.path);
    return order != 0 ? order < 0 : a.row < b.row;
  });
  tree_.by_path_.reserve(sorted.size());
  for (const PathOfRow& place : sorted) {
    tree_.by_path_.push_back(place.row);
    AddToPath(place.path);
  }
}

void MountTreeBuilder::AddToPath(absl::string_view path) {
  std::vector<MountTree::Path>& paths = tree_.paths_;
  if (paths.empty() || paths.back().path != path) {
    // The parent is the path before, or one above that.
    uint32_t parent = static_cast<uint32_t>(paths.size());
    while (parent != 0 && !IsAtOrBelow(path, paths[parent - 1].path)) {
      parent = paths[parent - 1].parent_id;
    }
    const uint32_t first = static_cast<uint32_t>(tree_.by_path_.size() - 1);
    paths.push_back({.path = path, .parent_id = parent, .first_mount = first});
  }
  ++paths.back().mount_count;
}

void MountTreeBuilder::NumberPaths() {
  path_ids_.assign(size(), 0);
  for (uint32_t id = 1; id <= tree_.paths_.size(); ++id) {
    for (const uint32_t row : tree_.MountsAt(tree_.paths_[id - 1])) path_ids_[row] = id;
  }
}

void MountTreeBuilder::FindStacks() {
  stacked_.assign(size(), kNone);
  for (uint32_t row = 0; row < size(); ++row) {
    const uint32_t parent = tree_.parents_[row];
    if (parent == kNone || path_ids_[row] == 0) continue;
    if (path_ids_[parent] == path_ids_[row]) stacked_[parent] = row;
  }
}

void MountTreeBuilder::Walk() {
  left_to_.assign(size() + 1, kNone);
  reached_.assign(size(), false);
  verdicts_.assign(size(), {});
  for (uint32_t id = 1; id <= tree_.paths_.size(); ++id) {
    // Back to where the walk along the parent path ended.
    while (!frames_.empty() && frames_.back().path_id != tree_.paths_[id - 1].parent_id) {
      for (; exits_.size() > frames_.back().exits; exits_.pop_back()) {
        left_to_[exits_.back()] = kNone;
      }
      frames_.pop_back();
    }
    frames_.push_back({id, exits_.size()});
    WalkTo(id);
  }
}

void MountTreeBuilder::WalkTo(uint32_t path_id) {
  MountTree::Path& path = tree_.paths_[path_id - 1];
  uint32_t at = size();
  if (path.parent_id != 0) at = tree_.paths_[path.parent_id - 1].seen.value_or(size());
  const uint32_t parent = at == size() ? kNone : at;
  uint32_t next = kNone;
  for (const uint32_t row : tree_.MountsAt(path)) {
    if (tree_.parents_[row] == parent) next = row;
  }
  while (next != kNone) {
    Exit(at, next);
    at = next;
    next = stacked_[at];
  }
  if (at != size()) path.seen = at;
  for (const uint32_t row : tree_.MountsAt(path)) Judge(row, at);
}

void MountTreeBuilder::Exit(uint32_t from, uint32_t to) {
  left_to_[from] = to;
  exits_.push_back(from);
  reached_[to] = true;
}

void MountTreeBuilder::Judge(uint32_t row, uint32_t seen) {
  const uint32_t parent = tree_.parents_[row];
  if (row == seen) {
    verdicts_[row] = {Mount::visible, kNone};
  } else if (reached_[row]) {
    verdicts_[row] = {Mount::overmounted, stacked_[row]};
  } else if (parent == kNone) {
    verdicts_[row] = {Mount::unreachable, kNone};
  } else if (reached_[parent]) {
    const uint32_t hider = left_to_[parent];
    if (hider == kNone) {
      verdicts_[row] = {Mount::unreachable, kNone};
    } else {
      const bool is_above = path_ids_[hider] == path_ids_[parent];
      verdicts_[row] = {is_above ? Mount::overmounted_above : Mount::covered, hider};
    }
  }
  // Else it is on a hidden mount: see Inherit.
}

void MountTreeBuilder::Inherit() {
  tree_.Visit([&](uint32_t row, size_t) {
    if (path_ids_[row] == 0) {
      verdicts_[row] = {Mount::unreachable, kNone};
    } else if (verdicts_[row].visibility == Mount::unknown) {
      const uint32_t parent = tree_.parents_[row];
      // What is on a mount that can be reached was judged before, if its path is below that one's.
      verdicts_[row] = reached_[parent] ? Verdict{Mount::unreachable, kNone} : verdicts_[parent];
    }
  });
}

void MountTreeBuilder::WriteRows() {
  for (uint32_t row = 0; row < size(); ++row) {
    Mount& mount = *mounts_.mutable_mounts(static_cast<int>(row));
    const uint32_t path_id = path_ids_[row];
    mount.set_path_id(path_id);
    mount.set_parent_path_id(path_id == 0 ? 0 : tree_.paths_[path_id - 1].parent_id);
    const Verdict& verdict = verdicts_[row];
    mount.set_visibility(verdict.visibility);
    mount.clear_hidden_by();
    if (verdict.hider != kNone) mount.set_hidden_by(Row(verdict.hider).mount_id());
  }
}

void MountTreeBuilder::Note(uint32_t row, const std::string& what) {
  if (++notes_ > kMaxNotes) return;
  mounts_.add_notes(absl::StrCat("mount ", Row(row).mount_id(), ": ", what));
}

void MountTreeBuilder::FinishNotes() {
  if (notes_ > kMaxNotes) {
    mounts_.add_notes(absl::StrCat(notes_ - kMaxNotes, " more mounts that are odd"));
  }
  // Rows below the root of a reader that is no mount's root share one missing parent.
  const auto& roots = tree_.roots_;
  const auto other = std::find_if(roots.begin(), roots.end(), [&](uint32_t row) {
    return Row(row).parent_id() != Row(roots.front()).parent_id();
  });
  if (other != roots.end()) {
    mounts_.add_notes(absl::StrCat(roots.size(), " mounts without a parent among the others"));
  }
}

}  // namespace nsctl::mounttree
