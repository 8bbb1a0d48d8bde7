#include "cmd/column_selection.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

std::optional<size_t> FindColumn(absl::string_view name, absl::Span<const ColumnName> columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (absl::EqualsIgnoreCase(columns[i].name, name)) return i;
  }
  return std::nullopt;
}

absl::Status UnknownColumn(absl::string_view name, absl::Span<const ColumnName> columns) {
  std::vector<std::string> names = {"all"};
  for (const ColumnName& column : columns) names.push_back(column.name);
  return UnknownWord("column", name, names);
}

}  // namespace

std::vector<Choice> ColumnChoices(absl::Span<const ColumnName> columns) {
  std::vector<Choice> choices;
  for (const ColumnName& column : columns) {
    choices.push_back(
        {column.name, absl::StrCat(column.summary, column.shown_by_default ? " (default)" : "")});
  }
  return choices;
}

absl::StatusOr<std::vector<size_t>> SelectColumns(const std::vector<std::string>& selection,
                                                  absl::Span<const ColumnName> columns) {
  const bool adds = !selection.empty() && absl::StartsWith(selection.front(), "+");
  std::vector<size_t> selected;
  if (selection.empty() || adds) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].shown_by_default) selected.push_back(i);
    }
  }
  const auto add = [&](size_t column) {
    if (std::find(selected.begin(), selected.end(), column) != selected.end()) return;
    selected.insert(adds ? selected.end() - 1 : selected.end(), column);
  };
  for (const std::string& word : SplitLists(selection)) {
    absl::string_view name = word;
    absl::ConsumePrefix(&name, "+");
    if (absl::EqualsIgnoreCase(name, "all")) {
      for (size_t i = 0; i < columns.size(); ++i) add(i);
      continue;
    }
    const std::optional<size_t> column = FindColumn(name, columns);
    if (!column.has_value()) return UnknownColumn(name, columns);
    add(*column);
  }
  return selected;
}

}  // namespace nsctl::cmd
