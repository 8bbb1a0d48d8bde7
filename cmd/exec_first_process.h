// What the first process of a PID namespace has to do besides being there.

#ifndef NSCTL_CMD_EXEC_FIRST_PROCESS_H_
#define NSCTL_CMD_EXEC_FIRST_PROCESS_H_

#include <sys/types.h>

namespace nsctl::cmd {

// Reaps whatever ends in the namespace, and passes every signal on to `command`, a child, until
// that ends. Returns its exit status, 128 + n where signal n killed it: what is left in the
// namespace ends with its first process. Source: pid_namespaces(7).
int BeFirstProcess(pid_t command);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_FIRST_PROCESS_H_
