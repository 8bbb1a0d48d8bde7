// `nsctl fs`: files as another root shows them.

#ifndef NSCTL_CMD_FS_COMMAND_H_
#define NSCTL_CMD_FS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

// Its commands have files of their own.
extern const CommandEntry kFsCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_COMMAND_H_
