#include "cmd/mount_columns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/namespace_type.h"
#include "cmd/column_selection.h"
#include "cmd/mount_filter.h"
#include "cmd/tree_branches.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::RepeatedPtrField;
using mounttree::Mount;

// Longer lists are shortened.
constexpr size_t kListedPlaces = 2;
// Where they need not fit into a line: whoever owns a mount namespace chooses how many mounts are
// in a group, each of which lists all the others.
constexpr size_t kMostListedPlaces = 100;

using MountContext = MountTables::Context;

struct MountColumn {
  const char* name;
  Alignment alignment;
  const char* summary;
  TableCell (*cell)(const MountRow& row, const MountContext& context);
};

template <typename T>
TableCell Number(T number) {
  return {absl::StrCat(number)};
}

Role RoleOfMount(const Mount& mount) { return IsHidden(mount) ? Role::kFaint : Role::kPlain; }

TableCell TargetCell(const MountRow& row, const MountContext&) {
  const Mount& mount = row.mount();
  return {mount.has_mount_point() ? mount.mount_point() : "(no path)", RoleOfMount(mount)};
}

// As findmnt: what of the file system is mounted stands in brackets behind it.
TableCell SourceCell(const MountRow& row, const MountContext&) {
  const Mount& mount = row.mount();
  std::string text = mount.has_source() ? mount.source() : "?";
  if (mount.root() != "/" && !mount.root().empty()) {
    absl::StrAppend(&text, "[", mount.root(), mount.deleted() ? "//deleted" : "", "]");
  }
  return {text};
}

const char* VisibilityText(const Mount& mount) {
  switch (mount.visibility()) {
    case Mount::visible:
      return "visible";
    case Mount::overmounted:
      return "overmounted";
    case Mount::overmounted_above:
      return "overmounted-above";
    case Mount::covered:
      return "covered";
    case Mount::unreachable:
      return "unreachable";
    default:
      return "";
  }
}

TableCell VisibilityCell(const MountRow& row, const MountContext&) {
  const bool seen = row.mount().visibility() == Mount::visible;
  return {VisibilityText(row.mount()), seen ? Role::kPlain : Role::kLimited};
}

// As findmnt: "private", "shared", "private,slave", "shared,slave", "unbindable".
TableCell PropagationCell(const MountRow& row, const MountContext&) {
  const Mount& mount = row.mount();
  std::string text = mount.has_peer_group() ? "shared" : "private";
  if (mount.has_master()) absl::StrAppend(&text, ",slave");
  if (mount.unbindable()) text = mount.has_master() ? "unbindable,slave" : "unbindable";
  return {text};
}

// As in mountinfo.
TableCell TagsCell(const MountRow& row, const MountContext&) {
  const Mount& mount = row.mount();
  std::vector<std::string> tags;
  if (mount.has_peer_group()) tags.push_back(absl::StrCat("shared:", mount.peer_group()));
  if (mount.has_master()) tags.push_back(absl::StrCat("master:", mount.master()));
  if (mount.has_propagate_from()) {
    tags.push_back(absl::StrCat("propagate_from:", mount.propagate_from()));
  }
  if (mount.unbindable()) tags.push_back("unbindable");
  tags.insert(tags.end(), mount.other_tags().begin(), mount.other_tags().end());
  return {absl::StrJoin(tags, " ")};
}

TableCell Places(const RepeatedPtrField<MountPlace>& places, const MountRow& row,
                 const MountContext& context) {
  const size_t limit = context.presentation.shorten       ? kListedPlaces
                       : context.presentation.whole_lists ? std::numeric_limits<size_t>::max()
                                                          : kMostListedPlaces;
  std::vector<std::string> texts;
  int more = 0;
  for (const MountPlace& place : places) {
    const bool self = place.mount_namespace() == row.mount_namespace() &&
                      place.mount_id() == row.mount().mount_id();
    if (self) continue;
    if (texts.size() == limit) {
      ++more;
      continue;
    }
    texts.push_back(PlaceText(place));
  }
  if (more > 0) texts.push_back(absl::StrCat("+", more));
  return {absl::StrJoin(texts, ",")};
}

TableCell PeersCell(const MountRow& row, const MountContext& context) {
  if (!row.mount().has_peer_group()) return {""};
  const MountPeerGroup* group = context.GroupWithId(row.mount().peer_group());
  return group == nullptr ? TableCell{"?"} : Places(group->members(), row, context);
}

TableCell SlavesCell(const MountRow& row, const MountContext& context) {
  if (!row.mount().has_peer_group()) return {""};
  const MountPeerGroup* group = context.GroupWithId(row.mount().peer_group());
  return group == nullptr ? TableCell{"?"} : Places(group->slaves(), row, context);
}

TableCell MastersCell(const MountRow& row, const MountContext& context) {
  if (!row.mount().has_master()) return {""};
  const MountPeerGroup* group = context.GroupWithId(row.mount().master());
  // A group none of whose mounts is in a namespace that was looked at.
  if (group == nullptr || group->members().empty()) return {"?"};
  return Places(group->members(), row, context);
}

TableCell HiddenByCell(const MountRow& row, const MountContext&) {
  return row.mount().has_hidden_by() ? Number(row.mount().hidden_by()) : TableCell{""};
}

TableCell MapCell(const RepeatedPtrField<mounttree::MountIdMapping>& map) {
  return {absl::StrJoin(map, ",", [](std::string* out, const mounttree::MountIdMapping& piece) {
    absl::StrAppend(out, piece.inside(), ":", piece.outside(), ":", piece.count());
  })};
}

TableCell ReasonCell(const MountRow& row, const MountContext&) {
  switch (row.reason()) {
    case MountRow::device:
      return {"device"};
    case MountRow::source:
      return {"source"};
    case MountRow::mount_point:
      return {"mount-point"};
    case MountRow::root:
      return {"root"};
    case MountRow::below_root:
      return {"below-root"};
    default:
      return {""};
  }
}

template <typename Text>
TableCell OfNamespace(const MountRow& row, const MountContext& context, const Text& text) {
  const MountNamespaceInfo* info = context.NamespaceOf(row);
  return {info == nullptr ? "" : absl::StrCat(text(*info))};
}

TableCell NamespaceCell(const MountRow& row, const MountContext&) {
  return row.has_mount_namespace() ? Number(row.mount_namespace()) : TableCell{"?"};
}

TableCell ReferenceCell(const MountRow& row, const MountContext& context) {
  return OfNamespace(row, context, [](const MountNamespaceInfo& info) {
    return absl::StrJoin(info.reference(), ":");
  });
}

constexpr Alignment kLeft = Alignment::kLeft;
constexpr Alignment kRight = Alignment::kRight;

// In the order of "all". OPTIONS is the last, since it is the one to be cut.
constexpr MountColumn kColumns[] = {
    {"NS", kRight, "inode number of the mount namespace", NamespaceCell},
    {"PID", kRight, "the process that stands for the namespace",
     [](const MountRow& row, const MountContext& context) {
       return OfNamespace(row, context, [](const MountNamespaceInfo& info) {
         return info.has_pid() ? absl::StrCat(info.pid()) : "";
       });
     }},
    {"COMMAND", kLeft, "its command line",
     [](const MountRow& row, const MountContext& context) {
       return OfNamespace(row, context,
                          [](const MountNamespaceInfo& info) { return info.command(); });
     }},
    {"TARGET", kLeft, "the mount point", TargetCell},
    {"SOURCE", kLeft, "what is mounted, and which directory of it in brackets", SourceCell},
    {"FSTYPE", kLeft, "type of the file system",
     [](const MountRow& row, const MountContext&) { return TableCell{row.mount().fs_type()}; }},
    {"VISIBILITY", kLeft, "whether its path leads to it, and what is in the way", VisibilityCell},
    {"HIDDEN-BY", kRight, "ID of the mount that lies over it", HiddenByCell},
    {"PROPAGATION", kLeft, "private, shared, slave, unbindable", PropagationCell},
    {"OPT-FIELDS", kLeft, "the optional fields of mountinfo", TagsCell},
    {"PEERS", kLeft, "with --propagation: mounts that share their mounts with it", PeersCell},
    {"MASTERS", kLeft, "with --propagation: mounts that it receives from", MastersCell},
    {"SLAVES", kLeft, "with --propagation: mounts that receive from it", SlavesCell},
    {"ID", kRight, "ID of the mount",
     [](const MountRow& row, const MountContext&) { return Number(row.mount().mount_id()); }},
    {"PARENT", kRight, "ID of the mount that it lies on",
     [](const MountRow& row, const MountContext&) { return Number(row.mount().parent_id()); }},
    {"UNIQ-ID", kRight, "64-bit ID of the mount, never used twice",
     [](const MountRow& row, const MountContext&) {
       return row.mount().has_unique_id() ? Number(row.mount().unique_id()) : TableCell{""};
     }},
    {"UNIQ-PARENT", kRight, "that of the mount that it lies on",
     [](const MountRow& row, const MountContext&) {
       return row.mount().has_unique_parent_id() ? Number(row.mount().unique_parent_id())
                                                 : TableCell{""};
     }},
    {"MAJ:MIN", kRight, "device of the super block",
     [](const MountRow& row, const MountContext&) {
       return TableCell{absl::StrCat(row.mount().device_major(), ":", row.mount().device_minor())};
     }},
    {"FSROOT", kLeft, "which directory of the file system is mounted",
     [](const MountRow& row, const MountContext&) { return TableCell{row.mount().root()}; }},
    {"RO", kLeft, "\"yes\" where nothing can be written through it",
     [](const MountRow& row, const MountContext&) {
       return TableCell{row.mount().read_only() ? "yes" : ""};
     }},
    {"UIDMAP", kLeft, "of an idmapped mount: inside:outside:count",
     [](const MountRow& row, const MountContext&) { return MapCell(row.mount().uid_map()); }},
    {"GIDMAP", kLeft, "the same for groups",
     [](const MountRow& row, const MountContext&) { return MapCell(row.mount().gid_map()); }},
    {"WHY", kLeft, "with --holding: in what way", ReasonCell},
    {"PATH", kLeft, "a file that refers to the namespace", ReferenceCell},
    {"VFS-OPTIONS", kLeft, "options of the mount",
     [](const MountRow& row, const MountContext&) {
       return TableCell{row.mount().mount_options()};
     }},
    {"FS-OPTIONS", kLeft, "options of the super block",
     [](const MountRow& row, const MountContext&) {
       return TableCell{row.mount().super_options()};
     }},
    {"OPTIONS", kLeft, "both",
     [](const MountRow& row, const MountContext&) {
       return TableCell{MergedOptions(row.mount())};
     }},
};

std::vector<absl::string_view> DefaultNames(MountView view, bool with_namespace) {
  std::vector<absl::string_view> names;
  if (with_namespace) names.push_back("NS");
  switch (view) {
    case MountView::kMounts:
      for (const char* name : {"TARGET", "SOURCE", "FSTYPE", "VISIBILITY", "OPTIONS"}) {
        names.push_back(name);
      }
      break;
    case MountView::kPropagation:
      for (const char* name : {"TARGET", "OPT-FIELDS", "PEERS", "MASTERS", "SLAVES"}) {
        names.push_back(name);
      }
      break;
    case MountView::kHolding:
      for (const char* name : {"PID", "COMMAND", "MAJ:MIN", "FSTYPE", "WHY", "VISIBILITY", "PATH",
                               "SOURCE", "TARGET"}) {
        names.push_back(name);
      }
      break;
  }
  return names;
}

std::vector<ColumnName> ColumnNames(MountView view, bool with_namespace) {
  const std::vector<absl::string_view> defaults = DefaultNames(view, with_namespace);
  std::vector<ColumnName> names;
  for (const MountColumn& column : kColumns) {
    const bool shown = std::find(defaults.begin(), defaults.end(), column.name) != defaults.end();
    names.push_back({column.name, shown, column.summary});
  }
  return names;
}

std::vector<uint32_t> DepthsOf(const MountList& list, int begin, int end) {
  std::vector<uint32_t> depths;
  for (int i = begin; i < end; ++i) depths.push_back(list.rows(i).depth());
  return depths;
}

}  // namespace

std::vector<Choice> MountColumnChoices() {
  return ColumnChoices(ColumnNames(MountView::kMounts, /*with_namespace=*/false));
}

absl::StatusOr<std::vector<size_t>> SelectMountColumns(const std::vector<std::string>& selection,
                                                       MountView view, bool with_namespace) {
  return SelectColumns(selection, ColumnNames(view, with_namespace));
}

std::string PlaceText(const MountPlace& place) {
  const std::string ns =
      place.has_mount_namespace()
          ? base::NamespaceLinkText(base::NamespaceType::kMnt, place.mount_namespace())
          : "mnt:[?]";
  return absl::StrCat(ns, ":", place.path());
}

const MountNamespaceInfo* MountTables::Context::NamespaceOf(const MountRow& row) const {
  const auto found = namespaces.find(row.mount_namespace());
  return found == namespaces.end() ? nullptr : found->second;
}

const MountPeerGroup* MountTables::Context::GroupWithId(uint64_t id) const {
  const auto found = groups.find(id);
  return found == groups.end() ? nullptr : found->second;
}

MountTables::MountTables(const MountList& list, const std::vector<size_t>& columns,
                         const Presentation& presentation)
    : list_(list), columns_(columns), context_{presentation, {}, {}} {
  for (const MountNamespaceInfo& info : list.namespaces()) {
    if (info.has_inode()) context_.namespaces.emplace(info.inode(), &info);
  }
  for (const MountPeerGroup& group : list.peer_groups()) {
    context_.groups.emplace(group.id(), &group);
  }
}

Table MountTables::Make(int begin, int end, bool tree) const {
  std::vector<TableColumn> headings;
  headings.reserve(columns_.size());
  for (const size_t column : columns_) {
    headings.push_back({kColumns[column].name, kColumns[column].alignment});
  }
  Table table(std::move(headings));
  std::vector<std::string> branches(end - begin);
  if (tree) {
    branches = DrawBranches(DepthsOf(list_, begin, end), *context_.presentation.glyphs);
  }
  for (int i = begin; i < end; ++i) {
    std::vector<TableCell> cells;
    cells.reserve(columns_.size());
    for (const size_t column : columns_) {
      cells.push_back(kColumns[column].cell(list_.rows(i), context_));
      if (kColumns[column].cell == TargetCell) cells.back().text.insert(0, branches[i - begin]);
    }
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace nsctl::cmd
