// `nsctl inspect`: all about one namespace or process.

#ifndef NSCTL_CMD_INSPECT_COMMAND_H_
#define NSCTL_CMD_INSPECT_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kInspectCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_INSPECT_COMMAND_H_
