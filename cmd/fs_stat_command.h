// `nsctl fs stat`: what a file of another root is.

#ifndef NSCTL_CMD_FS_STAT_COMMAND_H_
#define NSCTL_CMD_FS_STAT_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsStatCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_STAT_COMMAND_H_
