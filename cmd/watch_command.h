// `nsctl watch`: changes as they happen.

#ifndef NSCTL_CMD_WATCH_COMMAND_H_
#define NSCTL_CMD_WATCH_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kWatchCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WATCH_COMMAND_H_
