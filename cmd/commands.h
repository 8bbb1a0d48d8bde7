// All commands of nsctl.

#ifndef NSCTL_CMD_COMMANDS_H_
#define NSCTL_CMD_COMMANDS_H_

#include "absl/types/span.h"
#include "cmd/command.h"

namespace nsctl::cmd {

// In the order in which help lists them.
absl::Span<const CommandEntry> AllCommands();

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMMANDS_H_
