// The launcher (exec_launcher.c) as a file that can be executed and not be changed.

#ifndef NSCTL_CMD_EXEC_LAUNCHER_H_
#define NSCTL_CMD_EXEC_LAUNCHER_H_

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// A memfd with the launcher, sealed against writing. Errors: those of memfd_create(2), EACCES where
// the host forbids executable ones (sysctl vm.memfd_noexec).
absl::StatusOr<base::OwnedFd> MakeLauncher();

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_LAUNCHER_H_
