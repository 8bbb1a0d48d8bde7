// `nsctl containers`: engines, containers, pods and projects.

#ifndef NSCTL_CMD_CONTAINERS_COMMAND_H_
#define NSCTL_CMD_CONTAINERS_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kContainersCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINERS_COMMAND_H_
