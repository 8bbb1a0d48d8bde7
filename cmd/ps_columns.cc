#include "cmd/ps_columns.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "cmd/column_selection.h"
#include "cmd/container_reference.h"
#include "cmd/labels.h"
#include "engines/container.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Process;
using Row = ProcessTree::Row;

// One line, and what its cells need to know.
struct Line {
  const Row& row;
  // That of the row, or that of its thread.
  const Process& process;
  const Presentation& presentation;
  // Of Host.ticks_per_second; 0 where unknown.
  uint32_t ticks_per_second;

  bool is_thread() const { return row.has_thread(); }
};

}  // namespace

struct PsColumn {
  const char* name;
  Alignment alignment;
  bool shown_by_default;
  const char* summary;
  TableCell (*cell)(const Line& line);
};

namespace {

TableCell NumbersCell(const Line& line) {
  return {
      absl::StrJoin(line.row.pids(), "/", [](std::string* out, const ProcessTree::Number& number) {
        absl::StrAppend(out, number.pid());
      })};
}

// A PID namespace is known from numbers as well, where its link could not be read.
template <NamespaceType type>
TableCell NamespaceCell(const Line& line) {
  const nsdisc::NamespaceSet& set =
      line.is_thread() ? line.row.thread().namespaces() : line.process.namespaces();
  std::optional<uint32_t> inode = nsdisc::NamespaceOf(set, type);
  if (!inode.has_value() && type == NamespaceType::kPid && !line.row.pids().empty()) {
    const ProcessTree::Number& own = *line.row.pids().rbegin();
    if (own.has_pid_namespace()) inode = own.pid_namespace();
  }
  if (inode.has_value()) return {absl::StrCat(*inode)};
  const std::string& error =
      line.is_thread() ? line.row.thread().namespaces_error() : line.process.namespaces_error();
  return {error.empty() ? "" : "?"};
}

TableCell StartedCell(const Line& line) {
  if (line.ticks_per_second == 0) return {""};
  const uint64_t ticks =
      line.is_thread() ? line.row.thread().start_time() : line.process.start_time();
  return {absl::StrFormat("%.2f", static_cast<double>(ticks) / line.ticks_per_second)};
}

TableCell Shortened(const std::string& text, const Line& line) {
  if (!line.presentation.shorten) return {text};
  return {ShortenIds(text, line.presentation.glyphs->ellipsis)};
}

constexpr Alignment kLeft = Alignment::kLeft;
constexpr Alignment kRight = Alignment::kRight;

// In the order of "all". The one for COMMAND is the last, since it is the one to be cut.
constexpr PsColumn kColumns[] = {
    {"PID", kRight, true, "its number in the scanned PID namespace",
     [](const Line& line) { return TableCell{absl::StrCat(line.process.pid())}; }},
    {"TID", kRight, false, "the number of a thread; with --threads shown by default",
     [](const Line& line) {
       return TableCell{line.is_thread() ? absl::StrCat(line.row.thread().tid()) : ""};
     }},
    {"PIDS", kLeft, true, "its numbers in all PID namespaces that see it: 6427/235/7", NumbersCell},
    {"PPID", kRight, true, "its parent",
     [](const Line& line) { return TableCell{absl::StrCat(line.process.parent_pid())}; }},
    {"UID", kRight, false, "effective user id",
     [](const Line& line) {
       return TableCell{line.process.has_uid() ? absl::StrCat(line.process.uid()) : ""};
     }},
    {"USER", kLeft, true, "effective user",
     [](const Line& line) { return TableCell{UserText(line.process)}; }},
    {"STATE", kLeft, true, "its state, as ps shows it",
     [](const Line& line) { return TableCell{line.is_thread() ? "" : line.process.state()}; }},
    {"THREADS", kRight, false, "number of its threads",
     [](const Line& line) { return TableCell{absl::StrCat(line.process.thread_count())}; }},
    {"STARTED", kRight, false, "when it started: seconds after boot", StartedCell},
    {"NAME", kLeft, false, "its name, as it or its user chose it",
     [](const Line& line) {
       return TableCell{line.is_thread() ? line.row.thread().name() : line.process.name()};
     }},
    {"MNTNS", kRight, false, "its mount namespace", NamespaceCell<NamespaceType::kMnt>},
    {"CGROUPNS", kRight, false, "its cgroup namespace", NamespaceCell<NamespaceType::kCgroup>},
    {"UTSNS", kRight, false, "its UTS namespace", NamespaceCell<NamespaceType::kUts>},
    {"IPCNS", kRight, false, "its IPC namespace", NamespaceCell<NamespaceType::kIpc>},
    {"USERNS", kRight, false, "its user namespace", NamespaceCell<NamespaceType::kUser>},
    {"PIDNS", kRight, true, "its PID namespace", NamespaceCell<NamespaceType::kPid>},
    {"NETNS", kRight, false, "its network namespace", NamespaceCell<NamespaceType::kNet>},
    {"TIMENS", kRight, false, "its time namespace", NamespaceCell<NamespaceType::kTime>},
    {"CONTAINER", kLeft, false,
     "its container; the id where engines do not tell and its control group names one",
     [](const Line& line) {
       return line.row.has_in_container() ? TableCell{NameText(line.row.in_container())}
                                          : Shortened(line.row.container(), line);
     }},
    {"CSTATE", kLeft, false, "the state of its container: running, paused, ...",
     [](const Line& line) {
       if (!line.row.has_in_container()) return TableCell{""};
       return TableCell{engines::StateName(line.row.in_container().state())};
     }},
    {"ENGINE", kLeft, false, "the engine of its container",
     [](const Line& line) { return TableCell{EngineText(line.row.in_container())}; }},
    {"PROJECT", kLeft, false, "the project of its container",
     [](const Line& line) { return TableCell{line.row.in_container().project()}; }},
    {"POD", kLeft, false, "the pod of its container",
     [](const Line& line) { return TableCell{line.row.in_container().pod()}; }},
    {"IMAGE", kLeft, false, "the image of its container",
     [](const Line& line) { return TableCell{line.row.in_container().image()}; }},
    {"CGROUP", kLeft, false, "its control group",
     [](const Line& line) { return Shortened(line.row.cgroup(), line); }},
    {"COMMAND", kLeft, true, "its command line; the name of a thread",
     [](const Line& line) {
       return TableCell{line.is_thread() ? line.row.thread().name() : CommandText(line.process)};
     }},
};

std::vector<ColumnName> ColumnNames(bool threads) {
  std::vector<ColumnName> names;
  for (const PsColumn& column : kColumns) {
    const bool shown =
        column.shown_by_default || (threads && absl::string_view(column.name) == "TID");
    names.push_back({column.name, shown, column.summary});
  }
  return names;
}

}  // namespace

std::vector<Choice> PsColumnChoices() { return ColumnChoices(ColumnNames(/*threads=*/false)); }

absl::StatusOr<std::vector<const PsColumn*>> SelectPsColumns(
    const std::vector<std::string>& selection, bool threads) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<size_t> selected,
                         SelectColumns(selection, ColumnNames(threads)));
  std::vector<const PsColumn*> columns;
  columns.reserve(selected.size());
  for (const size_t column : selected) columns.push_back(&kColumns[column]);
  return columns;
}

Table MakePsTable(const ProcessTree& tree, const std::vector<const PsColumn*>& columns,
                  const Presentation& presentation) {
  std::vector<TableColumn> headings;
  headings.reserve(columns.size());
  for (const PsColumn* column : columns) headings.push_back({column->name, column->alignment});
  Table table(std::move(headings));

  // By PID; a process before its threads.
  std::vector<std::tuple<int32_t, int32_t, const Row*, const Process*>> lines;
  const Process* process = &Process::default_instance();
  for (const Row& row : tree.rows()) {
    if (row.has_process()) process = &row.process();
    if (row.has_pid_namespace() || row.relative()) continue;
    lines.emplace_back(process->pid(), row.thread().tid(), &row, process);
  }
  absl::c_sort(lines);
  for (const auto& [pid, tid, row, of] : lines) {
    const Line line{*row, *of, presentation, tree.host().ticks_per_second()};
    std::vector<TableCell> cells;
    cells.reserve(columns.size());
    for (const PsColumn* column : columns) cells.push_back(column->cell(line));
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace nsctl::cmd
