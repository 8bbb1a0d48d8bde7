// The environment of a command, as "NAME=VALUE" strings.

#ifndef NSCTL_CMD_EXEC_ENVIRONMENT_H_
#define NSCTL_CMD_EXEC_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// The strings of proc_pid_environ(5), those without "=" left out.
std::vector<std::string> ParseEnvironment(absl::string_view environ);

// `base` with `variables` set in their order: in place where the name is there, else behind.
std::vector<std::string> WithVariables(std::vector<std::string> base,
                                       const std::vector<std::string>& variables);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_ENVIRONMENT_H_
