// The columns of `nsctl list`.

#ifndef NSCTL_CMD_LIST_COLUMNS_H_
#define NSCTL_CMD_LIST_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/command.h"
#include "cmd/list.pb.h"
#include "cmd/presentation.h"
#include "cmd/table.h"

namespace nsctl::cmd {

struct ListContext {
  const Presentation& presentation;
  // Of Host.ticks_per_second; 0 where unknown.
  uint32_t ticks_per_second;
  // NamespaceList.mount_namespace.
  uint32_t own_mount_namespace;
};

struct ListColumn {
  const char* name;
  Alignment alignment;
  bool shown_by_default;
  const char* summary;
  TableCell (*cell)(const NamespaceRow& row, const ListContext& context);
  // Container engines tell it.
  bool of_container = false;
};

// Every column with its summary, for help and completion.
std::vector<Choice> ListColumnChoices();

// As SelectColumns (column_selection.h).
absl::StatusOr<std::vector<const ListColumn*>> SelectListColumns(
    const std::vector<std::string>& selection);

// The table of `list` with these columns.
Table MakeListTable(const NamespaceList& list, const std::vector<const ListColumn*>& columns,
                    const Presentation& presentation);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LIST_COLUMNS_H_
