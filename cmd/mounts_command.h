// nsctl mounts: the mounts of any mount namespace, as a tree.

#ifndef NSCTL_CMD_MOUNTS_COMMAND_H_
#define NSCTL_CMD_MOUNTS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kMountsCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNTS_COMMAND_H_
