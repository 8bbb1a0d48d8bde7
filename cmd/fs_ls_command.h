// `nsctl fs ls`: directories of another root, as ls(1) shows them.

#ifndef NSCTL_CMD_FS_LS_COMMAND_H_
#define NSCTL_CMD_FS_LS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsLsCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_LS_COMMAND_H_
