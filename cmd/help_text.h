// The texts of `nsctl help` and `nsctl COMMAND --help`, made from the commands and their options.

#ifndef NSCTL_CMD_HELP_TEXT_H_
#define NSCTL_CMD_HELP_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cmd/command.h"

namespace nsctl::cmd {

// What nsctl is and its commands, one line each.
std::string OverviewText(absl::Span<const CommandEntry> commands);

// Synopsis, description, subcommands, options by group, what their values may be, and examples.
// `parent` is the name of the command whose subcommand `entry` is, or empty.
std::string CommandHelpText(absl::string_view parent, const CommandEntry& entry);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_HELP_TEXT_H_
