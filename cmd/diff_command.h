// `nsctl diff`: what changed between two snapshots.

#ifndef NSCTL_CMD_DIFF_COMMAND_H_
#define NSCTL_CMD_DIFF_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kDiffCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DIFF_COMMAND_H_
