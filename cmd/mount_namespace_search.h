// Finds a mount namespace by its inode number, whoever keeps it: a process, a thread, an open
// descriptor, a bind mount.

#ifndef NSCTL_CMD_MOUNT_NAMESPACE_SEARCH_H_
#define NSCTL_CMD_MOUNT_NAMESPACE_SEARCH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// Opens mnt:[`inode`]. Looked for are, in this order: processes of `procfs`, all mount namespaces
// of the kernel (Linux 6.12, from the initial PID and user namespaces), threads, descriptors of
// processes. What is found is opened before it is compared, so it is the one.
//
// Errors: NOT_FOUND, with what could not be looked at; FAILED_PRECONDITION where `procfs` is a
// recorded tree. Races: a namespace that is handed on meanwhile may be missed.
absl::StatusOr<base::OwnedFd> FindMountNamespace(const procfsroot::Procfs& procfs, uint32_t inode);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_NAMESPACE_SEARCH_H_
