// What a scan read of processes, for who looks for engines and containers among them.

#ifndef NSCTL_CMD_KNOWN_PROCESSES_H_
#define NSCTL_CMD_KNOWN_PROCESSES_H_

#include <vector>

#include "engines/process_table.h"
#include "nsdisc/discover.h"

namespace nsctl::cmd {

// In the same order; those of which nothing but the number is known are left out. With the
// arguments of those alone that may be asked for them.
std::vector<engines::KnownProcess> KnownProcesses(const nsdisc::ProcessReadings& read);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_KNOWN_PROCESSES_H_
