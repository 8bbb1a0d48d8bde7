// `nsctl snapshot`: the whole discovery result as data.

#ifndef NSCTL_CMD_SNAPSHOT_COMMAND_H_
#define NSCTL_CMD_SNAPSHOT_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kSnapshotCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_SNAPSHOT_COMMAND_H_
