// `nsctl list`: namespaces as a table.

#ifndef NSCTL_CMD_LIST_COMMAND_H_
#define NSCTL_CMD_LIST_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kListCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LIST_COMMAND_H_
