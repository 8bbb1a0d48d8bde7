#include "cmd/containers_columns.h"

#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/column_selection.h"
#include "cmd/container_reference.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using engines::Container;

constexpr size_t kIdDigits = 64;
constexpr size_t kShownDigits = 12;

// One container, and what its cells need to know.
struct Line {
  const Container& container;
  const engines::Engine& engine;
  const ContainerReference reference;
  const Presentation& presentation;
};

struct Column {
  const char* name;
  Alignment alignment;
  bool shown_by_default;
  const char* summary;
  TableCell (*cell)(const Line& line);
};

TableCell Number(int64_t number) { return {number == 0 ? "" : absl::StrCat(number)}; }

TableCell Time(bool known, const google::protobuf::Timestamp& time) {
  return {known ? TimeText(time) : ""};
}

TableCell YesNo(bool known, bool value) { return {!known ? "" : value ? "yes" : "no"}; }

// As engines show it themselves.
TableCell Id(const std::string& id, const Line& line) {
  const bool is_long = id.size() == kIdDigits && absl::c_all_of(id, absl::ascii_isxdigit);
  return {line.presentation.shorten && is_long ? id.substr(0, kShownDigits) : id};
}

TableCell StateCell(const Line& line) {
  const Container::State state = line.container.state();
  const Role role = state == Container::running   ? Role::kGood
                    : engines::IsAlive(state)     ? Role::kLimited
                    : state == Container::created ? Role::kPlain
                                                  : Role::kFaint;
  return {engines::StateName(state), role};
}

TableCell Labels(const engines::Labels& labels) {
  return {absl::StrJoin(labels, ",", [](std::string* out, const engines::Label& label) {
    absl::StrAppend(out, label.name(), "=", label.value());
  })};
}

TableCell ViewsCell(const Line& line) {
  return {
      absl::StrJoin(line.container.views(), ",", [](std::string* out, const engines::View& view) {
        absl::StrAppend(out, engines::TypeName(view.type()));
      })};
}

constexpr Alignment kLeft = Alignment::kLeft;
constexpr Alignment kRight = Alignment::kRight;

// In the order of "all".
constexpr Column kColumns[] = {
    {"NAME", kLeft, true, "as people call it",
     [](const Line& line) { return TableCell{line.reference.name()}; }},
    {"ID", kLeft, true, "as its engine calls it",
     [](const Line& line) { return Id(line.container.id(), line); }},
    {"ENGINE", kLeft, true,
     "type of its engine; with the PID where that is in a container, or a user's",
     [](const Line& line) { return TableCell{EngineText(line.reference)}; }},
    {"STATE", kLeft, true, "created, running, paused, exited, ...", StateCell},
    {"PID", kRight, true, "its initial process",
     [](const Line& line) { return Number(line.container.pid()); }},
    {"IMAGE", kLeft, true, "as it was named",
     [](const Line& line) { return TableCell{line.container.image()}; }},
    {"PROJECT", kLeft, true, "its project of Compose or Swarm",
     [](const Line& line) { return TableCell{line.reference.project()}; }},
    {"SERVICE", kLeft, false, "its service in the project",
     [](const Line& line) { return TableCell{line.reference.service()}; }},
    {"POD", kLeft, true, "its pod; of Kubernetes after the namespace",
     [](const Line& line) { return TableCell{line.reference.pod()}; }},
    {"NAMESPACE", kLeft, false, "containerd's namespace, the project of Incus or LXD",
     [](const Line& line) { return TableCell{line.container.native_namespace()}; }},
    {"ENGINEPID", kRight, false, "process of its engine",
     [](const Line& line) { return Number(line.engine.pid()); }},
    {"VERSION", kLeft, false, "version of its engine",
     [](const Line& line) { return TableCell{line.engine.version()}; }},
    {"API", kLeft, false, "socket of its engine, as the engine has it",
     [](const Line& line) { return TableCell{line.engine.api()}; }},
    {"VIEWS", kLeft, false, "engines that know the same process", ViewsCell},
    {"IMAGEID", kLeft, false, "identity of its image",
     [](const Line& line) { return Id(line.container.image_id(), line); }},
    {"RUNTIME", kLeft, false, "what started it",
     [](const Line& line) { return TableCell{line.container.runtime()}; }},
    {"PRIVILEGED", kLeft, false, "\"yes\" or \"no\"",
     [](const Line& line) {
       return YesNo(line.container.has_privileged(), line.container.privileged());
     }},
    {"SANDBOX", kLeft, false, "\"yes\" where it holds its pod's namespaces",
     [](const Line& line) { return TableCell{line.container.sandbox() ? "yes" : ""}; }},
    {"CREATED", kLeft, true, "when it was made",
     [](const Line& line) {
       return Time(line.container.has_created_at(), line.container.created_at());
     }},
    {"STARTED", kLeft, false, "when its initial process started",
     [](const Line& line) {
       return Time(line.container.has_started_at(), line.container.started_at());
     }},
    {"FINISHED", kLeft, false, "when it ended",
     [](const Line& line) {
       return Time(line.container.has_finished_at(), line.container.finished_at());
     }},
    {"EXIT", kRight, false, "status that it exited with",
     [](const Line& line) {
       return TableCell{line.container.has_exit_code() ? absl::StrCat(line.container.exit_code())
                                                       : ""};
     }},
    {"OOM", kLeft, false, "\"yes\" where it was killed for lack of memory",
     [](const Line& line) {
       return YesNo(line.container.has_oom_killed(), line.container.oom_killed());
     }},
    {"RESTARTS", kRight, false, "how often it was restarted",
     [](const Line& line) { return Number(line.container.restart_count()); }},
    {"CGROUP", kLeft, false, "its control group, as its engine says",
     [](const Line& line) { return TableCell{line.container.cgroup()}; }},
    {"LABELS", kLeft, false, "name=value,...",
     [](const Line& line) { return Labels(line.container.labels()); }},
    {"ANNOTATIONS", kLeft, false, "name=value,...",
     [](const Line& line) { return Labels(line.container.annotations()); }},
};

std::vector<ColumnName> ColumnNames() {
  std::vector<ColumnName> names;
  for (const Column& column : kColumns) {
    names.push_back({column.name, column.shown_by_default, column.summary});
  }
  return names;
}

}  // namespace

std::vector<Choice> ContainerColumnChoices() { return ColumnChoices(ColumnNames()); }

absl::StatusOr<std::vector<size_t>> SelectContainerColumns(
    const std::vector<std::string>& selection) {
  return SelectColumns(selection, ColumnNames());
}

Table MakeContainerTable(const ContainerList& list, const std::vector<size_t>& columns,
                         const Presentation& presentation) {
  std::vector<TableColumn> headings;
  headings.reserve(columns.size());
  for (const size_t column : columns) {
    headings.push_back({kColumns[column].name, kColumns[column].alignment});
  }
  Table table(std::move(headings));

  const ContainerLists lists(list);
  std::vector<const Container*> sorted;
  for (const Container& container : list.containers()) sorted.push_back(&container);
  absl::c_stable_sort(sorted, [](const Container* a, const Container* b) {
    return std::tie(a->engine(), a->name()) < std::tie(b->engine(), b->name());
  });
  for (const Container* container : sorted) {
    const engines::Engine* const engine = EngineOf(lists, *container);
    const Line line{*container, engine == nullptr ? engines::Engine::default_instance() : *engine,
                    ReferenceTo(lists, *container), presentation};
    std::vector<TableCell> cells;
    cells.reserve(columns.size());
    for (const size_t column : columns) cells.push_back(kColumns[column].cell(line));
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace nsctl::cmd
