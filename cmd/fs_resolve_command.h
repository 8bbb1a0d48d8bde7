// `nsctl fs resolve`: where a path in another root leads to.

#ifndef NSCTL_CMD_FS_RESOLVE_COMMAND_H_
#define NSCTL_CMD_FS_RESOLVE_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kFsResolveCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_RESOLVE_COMMAND_H_
