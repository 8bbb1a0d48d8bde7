// The columns of `nsctl ps --list`.

#ifndef NSCTL_CMD_PS_COLUMNS_H_
#define NSCTL_CMD_PS_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/command.h"
#include "cmd/presentation.h"
#include "cmd/ps.pb.h"
#include "cmd/table.h"

namespace nsctl::cmd {

struct PsColumn;

// Every column with its summary, for help and completion.
std::vector<Choice> PsColumnChoices();

// As SelectColumns (column_selection.h). With `threads` TID is one of the default columns.
absl::StatusOr<std::vector<const PsColumn*>> SelectPsColumns(
    const std::vector<std::string>& selection, bool threads);

// A line for each process and thread that was asked for, by PID and TID: relatives are left out.
Table MakePsTable(const ProcessTree& tree, const std::vector<const PsColumn*>& columns,
                  const Presentation& presentation);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PS_COLUMNS_H_
