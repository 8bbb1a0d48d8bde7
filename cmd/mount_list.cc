#include "cmd/mount_list.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/labels.h"
#include "cmd/mount_propagation.h"
#include "mounttree/mount_tree.h"

namespace nsctl::cmd {
namespace {

using mounttree::Holding;
using mounttree::Mount;
using mounttree::MountNamespace;
using mounttree::MountTree;

MountRow::Reason ReasonOf(Holding::Reason reason) {
  switch (reason) {
    case Holding::Reason::kDevice:
      return MountRow::device;
    case Holding::Reason::kSource:
      return MountRow::source;
    case Holding::Reason::kMountPoint:
      return MountRow::mount_point;
    case Holding::Reason::kRoot:
      return MountRow::root;
    case Holding::Reason::kBelowRoot:
      return MountRow::below_root;
  }
  return MountRow::none;
}

void FillInfo(const MountNamespace& mounts, MountNamespaceInfo* info) {
  if (mounts.has_inode()) info->set_inode(mounts.inode());
  if (mounts.has_kernel_id()) info->set_kernel_id(mounts.kernel_id());
  info->set_reader(mounts.reader());
  info->set_mount_count(static_cast<uint32_t>(mounts.mounts_size()));
  uint32_t hidden = 0;
  for (const Mount& mount : mounts.mounts()) hidden += IsHidden(mount) ? 1 : 0;
  info->set_hidden_count(hidden);
  *info->mutable_notes() = mounts.notes();
}

class MountListBuilder {
 public:
  MountListBuilder(std::vector<ScannedMounts> scanned, const MountSelection& selection)
      : scanned_(std::move(scanned)), selection_(selection) {
    for (ScannedMounts& one : scanned_) {
      trees_.push_back(mounttree::PlaceMounts(&one.mounts));
      chosen_.emplace_back(one.mounts.mounts_size(), one.shown);
      reasons_.emplace_back(one.mounts.mounts_size(), MountRow::none);
    }
  }

  absl::StatusOr<MountList> Build() {
    NSCTL_RETURN_IF_ERROR(ChoosePath());
    if (selection_.holding.has_value()) ChooseHolding();
    for (size_t i = 0; i < scanned_.size(); ++i) {
      ChoosePassing(i);
      if (selection_.submounts) ChooseSubmounts(i);
      FillInfo(scanned_[i].mounts, &scanned_[i].info);
    }
    MountList list;
    const bool one_asked_for =
        selection_.holder_of.has_value() || selection_.mount_point.has_value();
    if (selection_.propagation) Propagation().AddGroups(chosen_, &list);
    std::vector<std::pair<size_t, uint32_t>> origins;
    for (size_t i = 0; i < scanned_.size(); ++i) AddRows(i, &list, &origins);
    if (selection_.propagation && one_asked_for) {
      for (int i = 0; i < list.rows_size(); ++i) {
        Propagation().AddReaches(origins[i].first, origins[i].second, list.mutable_rows(i));
      }
    }
    MoveMessages(origins, &list);
    return list;
  }

 private:
  MountPropagation& Propagation() {
    if (!propagation_.has_value()) {
      std::vector<const MountNamespace*> namespaces;
      for (const ScannedMounts& one : scanned_) namespaces.push_back(&one.mounts);
      propagation_.emplace(std::move(namespaces), trees_);
    }
    return *propagation_;
  }

  void KeepOnly(size_t i, const std::vector<uint32_t>& rows) {
    std::vector<bool> kept(chosen_[i].size(), false);
    for (const uint32_t row : rows) kept[row] = chosen_[i][row];
    chosen_[i] = std::move(kept);
  }

  absl::Status ChoosePath() {
    if (selection_.holder_of.has_value()) {
      const auto holder = [this](size_t i) {
        const std::optional<uint32_t> row =
            selection_.holder_id.has_value()
                ? mounttree::FindMount(scanned_[i].mounts, *selection_.holder_id)
                : trees_[i].FindHolder(*selection_.holder_of);
        return row.has_value() ? std::vector<uint32_t>{*row} : std::vector<uint32_t>();
      };
      if (!ChooseEach(holder)) return NoMount("holds ", *selection_.holder_of);
    }
    if (selection_.mount_point.has_value()) {
      const auto at = [this](size_t i) { return MountsAt(i, *selection_.mount_point); };
      if (!ChooseEach(at)) return NoMount("is at ", *selection_.mount_point);
    }
    return absl::OkStatus();
  }

  // Keeps what `rows_of` gives of each namespace; false where that is nothing.
  template <typename RowsOf>
  bool ChooseEach(const RowsOf& rows_of) {
    bool found = false;
    for (size_t i = 0; i < scanned_.size(); ++i) {
      const std::vector<uint32_t> rows = rows_of(i);
      found = found || (scanned_[i].shown && !rows.empty());
      KeepOnly(i, rows);
    }
    return found;
  }

  static absl::Status NoMount(const char* does_what, const std::string& path) {
    return absl::NotFoundError(absl::StrCat("no mount ", does_what, base::TerminalText(path)));
  }

  std::vector<uint32_t> MountsAt(size_t i, const std::string& path) const {
    std::vector<uint32_t> rows;
    const auto& mounts = scanned_[i].mounts.mounts();
    for (int row = 0; row < mounts.size(); ++row) {
      if (mounts[row].has_mount_point() && mounts[row].mount_point() == path) {
        rows.push_back(static_cast<uint32_t>(row));
      }
    }
    return rows;
  }

  void ChooseHolding() {
    std::vector<const MountNamespace*> namespaces;
    for (const ScannedMounts& one : scanned_) namespaces.push_back(&one.mounts);
    std::vector<std::vector<uint32_t>> rows(scanned_.size());
    for (const Holding& holding : mounttree::FindHolding(namespaces, *selection_.holding)) {
      rows[holding.mount_namespace].push_back(holding.row);
      reasons_[holding.mount_namespace][holding.row] = ReasonOf(holding.reason);
    }
    for (size_t i = 0; i < scanned_.size(); ++i) KeepOnly(i, rows[i]);
  }

  void ChoosePassing(size_t i) {
    for (size_t row = 0; row < chosen_[i].size(); ++row) {
      if (!chosen_[i][row]) continue;
      chosen_[i][row] = Passes(scanned_[i].mounts.mounts(static_cast<int>(row)), selection_.filter);
    }
  }

  // Visit has parents before children.
  void ChooseSubmounts(size_t i) {
    trees_[i].Visit([&](uint32_t row, size_t) {
      const std::optional<uint32_t> parent = trees_[i].ParentOf(row);
      if (parent.has_value() && chosen_[i][*parent]) chosen_[i][row] = true;
    });
  }

  // Rows without their mounts, which the propagation still looks at.
  void AddRows(size_t i, MountList* list, std::vector<std::pair<size_t, uint32_t>>* origins) {
    std::vector<uint32_t> depths(chosen_[i].size(), 0);
    trees_[i].Visit([&](uint32_t row, size_t) {
      const std::optional<uint32_t> parent = trees_[i].ParentOf(row);
      if (parent.has_value()) depths[row] = depths[*parent] + (chosen_[i][*parent] ? 1 : 0);
      if (!chosen_[i][row]) return;
      MountRow* added = list->add_rows();
      if (scanned_[i].mounts.has_inode()) added->set_mount_namespace(scanned_[i].mounts.inode());
      added->set_depth(depths[row]);
      added->set_reason(reasons_[i][row]);
      if (selection_.holding.has_value()) {
        if (scanned_[i].info.has_pid()) added->set_pid(scanned_[i].info.pid());
        *added->mutable_reference() = scanned_[i].info.reference();
      }
      origins->push_back({i, row});
    });
  }

  void MoveMessages(const std::vector<std::pair<size_t, uint32_t>>& origins, MountList* list) {
    for (int i = 0; i < list->rows_size(); ++i) {
      const auto [ns, row] = origins[i];
      list->mutable_rows(i)->mutable_mount()->Swap(
          scanned_[ns].mounts.mutable_mounts(static_cast<int>(row)));
    }
    for (ScannedMounts& one : scanned_) *list->add_namespaces() = std::move(one.info);
  }

  std::vector<ScannedMounts> scanned_;
  const MountSelection& selection_;
  std::vector<MountTree> trees_;
  // By namespace and row.
  std::vector<std::vector<bool>> chosen_;
  std::vector<std::vector<MountRow::Reason>> reasons_;
  std::optional<MountPropagation> propagation_;
};

}  // namespace

absl::StatusOr<MountList> BuildMountList(std::vector<ScannedMounts> scanned,
                                         const MountSelection& selection) {
  return MountListBuilder(std::move(scanned), selection).Build();
}

}  // namespace nsctl::cmd
