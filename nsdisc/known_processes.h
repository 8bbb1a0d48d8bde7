// What a scan read of processes, for who looks for engines and containers among them.

#ifndef NSCTL_NSDISC_KNOWN_PROCESSES_H_
#define NSCTL_NSDISC_KNOWN_PROCESSES_H_

#include <vector>

#include "engines/process_table.h"
#include "nsdisc/discover.h"

namespace nsctl::nsdisc {

// In the same order; those of which nothing but the number is known are left out.
std::vector<engines::KnownProcess> KnownProcesses(const ProcessReadings& read);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_KNOWN_PROCESSES_H_
