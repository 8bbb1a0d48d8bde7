// Stands between the user and one command until that ends: signals, stops, and the terminal.

#ifndef NSCTL_CMD_EXEC_SUPERVISOR_H_
#define NSCTL_CMD_EXEC_SUPERVISOR_H_

#include "absl/status/status.h"
#include "base/fd.h"
#include "cmd/exec_run.h"
#include "cmd/exec_signals.h"
#include "cmd/exec_terminal.h"

namespace nsctl::cmd {

// Passes signals on to the command of `run`, which has started, until that ends or is left behind;
// then `run` has its result. Where the command is stopped, this process stops as well, so that a
// shell sees it, and both go on together. `pty` may be null; else its master is copied from `in`
// and to `out`, whose terminal is raw meanwhile and gives the size. Errors: those of poll(2).
absl::Status Supervise(RunningExec& run, const SignalSource& signals, const Pty* pty,
                       base::FdRef in, base::FdRef out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_SUPERVISOR_H_
