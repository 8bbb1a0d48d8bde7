// Whether a procfs leaves processes out of its listing: what hidepid hides gives no error that
// could become a gap.

#ifndef NSCTL_NSDISC_HIDDEN_PROCESSES_H_
#define NSCTL_NSDISC_HIDDEN_PROCESSES_H_

#include <sys/types.h>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// What the super block options of a procfs (proc(5)) hide from a caller that `sees_all` (it holds
// CAP_SYS_PTRACE over every process) or not, and that is in the group that `is_member` asks about.
bool OptionsHideProcesses(absl::string_view super_options, bool sees_all,
                          absl::FunctionRef<bool(gid_t)> is_member);

// The same for this program and `procfs`, whose options are looked up in the text of this program's
// own mountinfo. False where the procfs is not mounted there.
bool HidesProcesses(const procfsroot::Procfs& procfs, absl::string_view mountinfo);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_HIDDEN_PROCESSES_H_
