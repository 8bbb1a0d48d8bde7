// From the words of a command line to a command's options.

#ifndef NSCTL_CMD_PARSE_H_
#define NSCTL_CMD_PARSE_H_

#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "cmd/command.h"

namespace nsctl::cmd {

enum class ParseOutcome { kRun, kHelp };

// A parser of "-h" and the options of `command`, whose members it fills: `command` outlives it.
std::unique_ptr<CLI::App> MakeParser(Command& command);

// Fills what `command` bound to `app`, which MakeParser made. `arguments` are the words after
// the command's name. A scalar option that is given twice has its last value. kHelp where "-h" is
// among them, whatever else is. Errors: UsageError naming the option or argument. No exception
// leaves.
absl::StatusOr<ParseOutcome> ParseArguments(std::vector<std::string> arguments,
                                            const Command& command, CLI::App* app);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PARSE_H_
