// `nsctl fs cat`: the content of files of another root.

#ifndef NSCTL_CMD_FS_CAT_COMMAND_H_
#define NSCTL_CMD_FS_CAT_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsCatCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_CAT_COMMAND_H_
