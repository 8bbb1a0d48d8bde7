// The answers of `nsctl exec` for people.

#ifndef NSCTL_CMD_EXEC_TEXT_H_
#define NSCTL_CMD_EXEC_TEXT_H_

#include "cmd/exec.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// One line for each target: how its command came out.
void PrintExecResults(const ExecReport& report, const Presentation& presentation, Writer* out);

// The plan of each target, one line for each namespace, then what would run, and how.
void PrintExecPlans(const ExecReport& report, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_TEXT_H_
