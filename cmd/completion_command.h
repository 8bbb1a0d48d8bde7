// `nsctl completion`: scripts that make shells complete nsctl's words.

#ifndef NSCTL_CMD_COMPLETION_COMMAND_H_
#define NSCTL_CMD_COMPLETION_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kCompletionCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMPLETION_COMMAND_H_
