// Stands between the user and one command until that ends: signals, stops, and the terminal.

#ifndef NSCTL_CMD_EXEC_SUPERVISOR_H_
#define NSCTL_CMD_EXEC_SUPERVISOR_H_

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "cmd/exec_signals.h"
#include "cmd/exec_terminal.h"
#include "nsentry/entered_process.h"

namespace nsctl::cmd {

// Passes signals on to `process` until it ends and returns its status as wait(2) has it. Where the
// command is stopped, this process stops as well, so that a shell sees it, and both go on together.
// `pty` may be null; else its master is copied from `in` and to `out`, whose terminal is raw
// meanwhile and gives the size.
absl::StatusOr<int> Supervise(nsentry::EnteredProcess& process, const SignalSource& signals,
                              const Pty* pty, base::FdRef in, base::FdRef out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_SUPERVISOR_H_
