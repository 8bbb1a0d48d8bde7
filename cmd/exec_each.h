// One command in the namespaces of many targets.

#ifndef NSCTL_CMD_EXEC_EACH_H_
#define NSCTL_CMD_EXEC_EACH_H_

#include "absl/status/status.h"
#include "cmd/environment.h"
#include "cmd/exec.pb.h"
#include "cmd/exec_prepare.h"
#include "cmd/exec_signals.h"

namespace nsctl::cmd {

// Of each output of each command so much is kept for the report.
inline constexpr size_t kMaxKeptOutput = 1 << 20;

// Runs the command for every target of the settings, `jobs` at once, with nothing on its stdin, and
// fills `report` in the order of the targets. With `stream`, what commands write goes to stdout and
// stderr at once, a whole line at a time behind "TARGET: ", and what could drive a terminal is
// escaped where one is there; else it is kept in the report. A signal that nsctl is sent goes to
// all that run, and but for SIGCONT no further one is started. Errors: those of poll(2).
absl::Status RunForEach(const ExecScene& scene, const SignalSource& signals, bool stream,
                        Environment& env, ExecReport* report);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_EACH_H_
