// Prints what `nsctl doctor` answers.

#ifndef NSCTL_CMD_DOCTOR_TEXT_H_
#define NSCTL_CMD_DOCTOR_TEXT_H_

#include "cmd/doctor.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// One line per check, marked and by group, what follows from it below; last, what results will
// lack.
void PrintDoctorReport(const DoctorReport& report, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DOCTOR_TEXT_H_
