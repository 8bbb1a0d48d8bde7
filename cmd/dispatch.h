// From the words after "nsctl" to a command's exit status.

#ifndef NSCTL_CMD_DISPATCH_H_
#define NSCTL_CMD_DISPATCH_H_

#include <string>
#include <vector>

#include "cmd/environment.h"
#include "cmd/exit_status.h"

namespace nsctl::cmd {

// Finds the command that `arguments` start with among `env.commands`, parses the rest and runs it.
// Everything that is to be said was said when this returns, and stdout was flushed.
ExitStatus RunNsctl(const std::vector<std::string>& arguments, Environment& env);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DISPATCH_H_
