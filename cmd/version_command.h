// `nsctl version`.

#ifndef NSCTL_CMD_VERSION_COMMAND_H_
#define NSCTL_CMD_VERSION_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kVersionCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_VERSION_COMMAND_H_
