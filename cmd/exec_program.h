// Which file a command's first word is.

#ifndef NSCTL_CMD_EXEC_PROGRAM_H_
#define NSCTL_CMD_EXEC_PROGRAM_H_

#include <string>
#include <vector>

namespace nsctl::cmd {

struct FoundProgram {
  std::string path;
  // 0 where it may be executed, else an errno.
  int error = 0;
};

// As a shell: a word with a slash is a path, else the first in the PATH of `environment`
// ("NAME=value") that can be executed; else the reason of one that is there. By system calls alone,
// in the calling process's root and with its credentials.
FoundProgram FindProgram(const std::string& program, const std::vector<std::string>& environment);

// Whether this errno says that a program is not there.
bool IsNotFound(int error);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_PROGRAM_H_
