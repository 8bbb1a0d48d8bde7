// `nsctl fs cp`: copies files out of another root.

#ifndef NSCTL_CMD_FS_CP_COMMAND_H_
#define NSCTL_CMD_FS_CP_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsCpCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_CP_COMMAND_H_
