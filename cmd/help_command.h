// `nsctl help`.

#ifndef NSCTL_CMD_HELP_COMMAND_H_
#define NSCTL_CMD_HELP_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kHelpCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_HELP_COMMAND_H_
