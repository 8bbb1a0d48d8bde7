// The cgroups of a process, to move to.

#ifndef NSCTL_CMD_EXEC_CGROUPS_H_
#define NSCTL_CMD_EXEC_CGROUPS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// The directories below this root of the cgroups in `cgroup` (proc_pid_cgroup(5)), one of every
// hierarchy that `mountinfo` (proc_pid_mountinfo(5), of the caller) shows to be mounted, in the
// order of `cgroup`. Errors: NOT_FOUND where a cgroup is not below what is mounted, or none is
// mounted at all; those of parsing.
absl::StatusOr<std::vector<std::string>> CgroupDirectories(absl::string_view cgroup,
                                                           absl::string_view mountinfo);

// Their cgroup.procs files, opened for writing. Errors: above; those of open(2).
absl::StatusOr<std::vector<base::OwnedFd>> OpenCgroupsOf(const procfsroot::ProcessDir& process,
                                                         const procfsroot::ProcessDir& self);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_CGROUPS_H_
