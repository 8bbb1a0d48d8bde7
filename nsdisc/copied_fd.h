// Copies of other processes' descriptors (pidfd_getfd(2)).
//
// By the time that a number is used something else may be open there, put there on purpose: a file
// on a FUSE file system, whose server is asked whenever a descriptor of it is closed, by whoever
// does it, the end of a process included; until it answers, nothing ends that. So what was not
// wanted and might be such a file is never closed by this process: a child shares its descriptors
// and keeps them when it ends.

#ifndef NSCTL_NSDISC_COPIED_FD_H_
#define NSCTL_NSDISC_COPIED_FD_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::nsdisc {

// So many descriptors are left open at most: whoever scans for days, beside somebody who opens
// other things where sockets were, gives up his sockets and not all that he may open.
inline constexpr int kMaxLeftOpen = 64;

// A copy of the descriptor `fd` of the process `pidfd`, which must be a socket, with the inode
// `inode` unless that is 0. Errors: ESTALE where it is something else; EMFILE where kMaxLeftOpen is
// reached; EBADF, EPERM, ESRCH, ENOSYS as for base::CopyFdFrom. Two system calls.
absl::StatusOr<base::OwnedFd> CopySocket(base::FdRef pidfd, int fd, uint64_t inode);

// The name of the child that keeps descriptors, as ps(1) shows it.
inline constexpr char kKeeperName[] = "nsctl-keeper";

// The same of a TUN/TAP control file.
absl::StatusOr<base::OwnedFd> CopyTun(base::FdRef pidfd, int fd);

// Gives up a descriptor that may not be closed: it stays open until the process ended.
void LeaveOpen(base::OwnedFd fd);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_COPIED_FD_H_
