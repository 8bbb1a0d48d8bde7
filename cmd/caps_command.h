// `nsctl caps`: which capabilities a process has in a namespace, and why.

#ifndef NSCTL_CMD_CAPS_COMMAND_H_
#define NSCTL_CMD_CAPS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kCapsCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CAPS_COMMAND_H_
