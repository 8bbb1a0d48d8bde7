#include "cmd/mount_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/text.h"
#include "cmd/labels.h"
#include "cmd/mount_columns.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::RepeatedPtrField;

// The line is a heading; the whole command line is in the column COMMAND.
constexpr size_t kCommandWidth = 60;

std::string CountText(uint32_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

// 'mnt:[4026532177] process "bash" (1), 62 mounts, 3 hidden'.
std::string NamespaceLine(const MountNamespaceInfo& info, const Presentation& presentation) {
  const std::string name = info.has_inode()
                               ? base::NamespaceLinkText(base::NamespaceType::kMnt, info.inode())
                               : "mnt:[?]";
  std::string line = presentation.Paint(Role::kMnt, name);
  if (info.has_pid()) {
    const std::string command = base::TruncateToWidth(base::TerminalText(info.command()),
                                                      kCommandWidth, presentation.glyphs->ellipsis);
    absl::StrAppend(&line, " process \"", command, "\" (", info.pid(), ")");
  } else if (!info.reference().empty()) {
    absl::StrAppend(&line, " (no process) ",
                    base::TerminalText(info.reference(info.reference_size() - 1)));
  } else {
    absl::StrAppend(&line, " (no process)");
  }
  absl::StrAppend(&line, ", ", CountText(info.mount_count(), "mount"));
  if (info.hidden_count() > 0) absl::StrAppend(&line, ", ", info.hidden_count(), " hidden");
  return line;
}

void PrintReaches(const MountRow& row, absl::string_view what,
                  const RepeatedPtrField<MountPlace>& places, Writer* out) {
  MountPlace self;
  if (row.has_mount_namespace()) self.set_mount_namespace(row.mount_namespace());
  self.set_path(row.mount().mount_point());
  // Several mounts may stand at one path.
  const std::string name =
      absl::StrCat(base::TerminalText(PlaceText(self)), " (", row.mount().mount_id(), ")");
  if (places.empty()) {
    out->Append(absl::StrCat(what, " ", name, " reaches no other mount\n"));
    return;
  }
  out->Append(absl::StrCat(what, " ", name, " reaches ",
                           CountText(static_cast<uint32_t>(places.size()), "other mount"), ":\n"));
  for (const MountPlace& place : places) {
    out->Append(absl::StrCat("  ", base::TerminalText(PlaceText(place)), "\n"));
  }
}

void PrintTrees(const MountList& list, const MountTables& tables, bool name_namespaces,
                const Presentation& presentation, Writer* out) {
  // Rows stand in the order of their namespaces.
  int begin = 0;
  bool first = true;
  for (const MountNamespaceInfo& info : list.namespaces()) {
    int end = begin;
    while (end < list.rows_size() && list.rows(end).has_mount_namespace() == info.has_inode() &&
           list.rows(end).mount_namespace() == info.inode()) {
      ++end;
    }
    if (begin == end) continue;
    if (!first) out->Append("\n");
    first = false;
    if (name_namespaces) out->Append(absl::StrCat(NamespaceLine(info, presentation), "\n"));
    tables.Make(begin, end, /*tree=*/true).Print(presentation, out);
    for (const std::string& note : info.notes()) {
      out->Append(absl::StrCat("note: ", base::TerminalText(note), "\n"));
    }
    begin = end;
  }
}

}  // namespace

void PrintMounts(const MountList& list, const MountTextOptions& options,
                 const Presentation& presentation, Writer* out) {
  const MountTables tables(list, options.columns, presentation);
  if (options.flat || list.rows().empty()) {
    tables.Make(0, list.rows_size(), /*tree=*/false).Print(presentation, out);
  } else {
    PrintTrees(list, tables, options.name_namespaces, presentation, out);
  }
  if (!options.reaches) return;
  for (const MountRow& row : list.rows()) {
    PrintReaches(row, "an unmount of", row.unmount_reaches(), out);
    PrintReaches(row, "a mount on", row.mount_reaches(), out);
  }
}

}  // namespace nsctl::cmd
