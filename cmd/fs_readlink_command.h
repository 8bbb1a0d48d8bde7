// `nsctl fs readlink`: what symlinks of another root say, or lead to.

#ifndef NSCTL_CMD_FS_READLINK_COMMAND_H_
#define NSCTL_CMD_FS_READLINK_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsReadlinkCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_READLINK_COMMAND_H_
