// What a child process that fetches a descriptor for its parent sends back. Sending makes system
// calls and nothing more, so that it may be done in a child of a process with threads.

#ifndef NSCTL_PROCFSROOT_DESCRIPTOR_MESSAGE_H_
#define NSCTL_PROCFSROOT_DESCRIPTOR_MESSAGE_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// How it went: which of the child's steps failed, and with what errno. 0 where none did.
struct FetchOutcome {
  int step = 0;
  int error = 0;
};

// Sends `outcome`, with the descriptor `fd` where that is not negative, to the socket `socket_fd`.
void SendOutcome(int socket_fd, FetchOutcome outcome, int fd);

struct FetchResult {
  FetchOutcome outcome;
  // Named as `name`. Holds nothing where none came: the sender had none, or the caller may open no
  // more.
  base::OwnedFd fd;
};

// What the child at the other end of `socket_fd` sends. Errors: ETIMEDOUT after `timeout`; EPIPE
// where it ended without a word. Source: unix(7), SCM_RIGHTS.
absl::StatusOr<FetchResult> ReceiveOutcome(base::FdRef socket_fd, absl::Duration timeout,
                                           absl::string_view name);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_DESCRIPTOR_MESSAGE_H_
