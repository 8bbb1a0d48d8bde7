// `nsctl why`: everything that keeps a namespace alive.

#ifndef NSCTL_CMD_WHY_COMMAND_H_
#define NSCTL_CMD_WHY_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kWhyCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WHY_COMMAND_H_
