// `nsctl exec`: runs a command in the namespaces of a target.

#ifndef NSCTL_CMD_EXEC_COMMAND_H_
#define NSCTL_CMD_EXEC_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kExecCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_COMMAND_H_
