// `nsctl doctor`: what this kernel and these privileges allow, and what will be missing.

#ifndef NSCTL_CMD_DOCTOR_COMMAND_H_
#define NSCTL_CMD_DOCTOR_COMMAND_H_

#include "cmd/command.h"

namespace nsctl::cmd {

extern const CommandEntry kDoctorCommand;

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DOCTOR_COMMAND_H_
