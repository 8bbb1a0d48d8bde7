// `nsctl tree`: hierarchies of namespaces with what they own.

#ifndef NSCTL_CMD_TREE_COMMAND_H_
#define NSCTL_CMD_TREE_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kTreeCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_COMMAND_H_
