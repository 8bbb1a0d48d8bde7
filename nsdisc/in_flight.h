// Descriptors on their way between processes (unix(7), SCM_RIGHTS), which wait in a socket and are
// open nowhere.

#ifndef NSCTL_NSDISC_IN_FLIGHT_H_
#define NSCTL_NSDISC_IN_FLIGHT_H_

#include "absl/types/span.h"
#include "nsdisc/fd_reader.h"
#include "nsdisc/gap_list.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// Adds a gap for each process that has sockets in which descriptors wait: what they are, and what
// they hold, nobody tells. The gap's count is that of the descriptors. Each socket is looked at
// once, with three system calls, and two for each process: for scans that are to tell all, not for
// each.
// Source: unix_show_fdinfo of the kernel's net/unix/af_unix.c ("scm_fds:", Linux 5.12).
void AddInFlightGaps(const procfsroot::Procfs& procfs, absl::Span<const FdFindings::Socket> sockets,
                     GapList* gaps);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_IN_FLIGHT_H_
