// The columns of `nsctl containers --list`.

#ifndef NSCTL_CMD_CONTAINERS_COLUMNS_H_
#define NSCTL_CMD_CONTAINERS_COLUMNS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/command.h"
#include "cmd/containers.pb.h"
#include "cmd/presentation.h"
#include "cmd/table.h"

namespace nsctl::cmd {

// Every column with its summary, for help and completion.
std::vector<Choice> ContainerColumnChoices();

// As SelectColumns (column_selection.h).
absl::StatusOr<std::vector<size_t>> SelectContainerColumns(
    const std::vector<std::string>& selection);

// A row for each container, by engine and name.
Table MakeContainerTable(const ContainerList& list, const std::vector<size_t>& columns,
                         const Presentation& presentation);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINERS_COLUMNS_H_
