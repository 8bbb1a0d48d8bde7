// The launcher (exec_launcher.c) as a file that can be executed and not be changed.

#ifndef NSCTL_CMD_EXEC_LAUNCHER_H_
#define NSCTL_CMD_EXEC_LAUNCHER_H_

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// A memfd with the launcher, sealed against writing, that everybody may execute and nobody read: so
// the kernel lets nobody trace whoever runs it, or look into it, but those with CAP_SYS_PTRACE in
// the user namespace of this process (would_dump, fs/exec.c). Errors: those of memfd_create(2),
// EACCES where the host forbids executable ones (sysctl vm.memfd_noexec).
absl::StatusOr<base::OwnedFd> MakeLauncher();

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_LAUNCHER_H_
