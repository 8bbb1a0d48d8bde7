// `nsctl ps`: processes across PID namespaces.

#ifndef NSCTL_CMD_PS_COMMAND_H_
#define NSCTL_CMD_PS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kPsCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PS_COMMAND_H_
