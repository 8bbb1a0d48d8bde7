// Judges what `nsctl doctor` found: what follows for results.

#ifndef NSCTL_CMD_DOCTOR_REPORT_H_
#define NSCTL_CMD_DOCTOR_REPORT_H_

#include "cmd/doctor.pb.h"
#include "cmd/doctor_facts.h"

namespace nsctl::cmd {

DoctorReport JudgeDoctorFacts(const DoctorFacts& facts);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DOCTOR_REPORT_H_
