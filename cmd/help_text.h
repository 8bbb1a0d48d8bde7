// The texts of `nsctl help` and `nsctl COMMAND --help`, made from the commands and their options.

#ifndef NSCTL_CMD_HELP_TEXT_H_
#define NSCTL_CMD_HELP_TEXT_H_

#include <string>

#include "absl/types/span.h"
#include "cmd/command.h"

namespace nsctl::cmd {

// What nsctl is and its commands, one line each.
std::string OverviewText(absl::Span<const CommandEntry> commands);

// Synopsis, description, options by group, what their values may be, and examples.
std::string CommandHelpText(const CommandEntry& entry);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_HELP_TEXT_H_
