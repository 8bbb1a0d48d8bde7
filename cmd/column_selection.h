// Which columns of a table a user asked for.

#ifndef NSCTL_CMD_COLUMN_SELECTION_H_
#define NSCTL_CMD_COLUMN_SELECTION_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cmd/command.h"

namespace nsctl::cmd {

struct ColumnName {
  const char* name;
  bool shown_by_default;
  const char* summary;
};

// Every column with its summary, for help and completion.
std::vector<Choice> ColumnChoices(absl::Span<const ColumnName> columns);

// The indexes of the columns that the lists of `selection` name, in their order: "NS,TYPE"; "all";
// names with a "+" before them are added to the default columns, before the last of these
// ("+PATH,+UID", "+PATH,UID"): the last is the one that is cut. Empty: the default columns. Case
// does not matter; a column that is named twice is shown once. Errors: UsageError for unknown
// names.
absl::StatusOr<std::vector<size_t>> SelectColumns(const std::vector<std::string>& selection,
                                                  absl::Span<const ColumnName> columns);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COLUMN_SELECTION_H_
