// One command to one monitor of LXC's.

#ifndef NSCTL_ENGINES_LXC_LXC_CONNECTION_H_
#define NSCTL_ENGINES_LXC_LXC_CONNECTION_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_messages.h"

namespace nsctl::engines::lxc {

// Connects to the abstract name `name` of the network namespace `network` (none: the caller's own),
// in a thread that does not outlive the call. The result does not block. Errors: those of setns(2)
// and connect(2): EAGAIN where the listener's queue is full, ECONNREFUSED where nobody listens.
absl::StatusOr<base::OwnedFd> ConnectAbstract(const base::OwnedFd& network, absl::string_view name);

struct Reply {
  ReplyHead head;
  std::string text;
};
// Sends `command` as `uid` (which the kernel allows root alone, but for the caller's own) and waits
// for the reply. Errors: DEADLINE_EXCEEDED, CANCELLED; UNAVAILABLE where the monitor hangs up, as
// it does before who is not its user; those of ParseReplyHead, sendmsg(2) and recv(2).
absl::StatusOr<Reply> Ask(base::FdRef socket, uid_t uid, Command command, absl::string_view payload,
                          const CallLimits& limits);

}  // namespace nsctl::engines::lxc

#endif  // NSCTL_ENGINES_LXC_LXC_CONNECTION_H_
