// Asks what may never be answered in a process that is left behind then, while the caller goes on.
//
// A thread that waits for a FUSE or network server that took its request and says nothing cannot be
// killed, and no process ends before its threads. So it must be a thread of somebody else.

#ifndef NSCTL_CMD_ASK_APART_H_
#define NSCTL_CMD_ASK_APART_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/fd.h"

namespace nsctl::cmd {

// Runs `body` in another process and returns what it returned; a Status comes back with its code,
// message and errno. That process is nobody's child (the caller never has to wait for it), has a
// session of its own, and of the caller's descriptors `needed` alone, so that nobody waits for the
// end of another one because of it. It is killed a second past `timeout`, whoever is left.
//
// To be called from a process without other threads. `what` ("read /etc/passwd") begins the
// messages of these errors:
//
// Errors: DEADLINE_EXCEEDED after `timeout`; ABORTED where it ended without an answer; those of
// fork(2), pipe2(2) and `body`.
absl::StatusOr<std::string> AskApart(absl::string_view what, absl::Duration timeout,
                                     absl::Span<const base::FdRef> needed,
                                     absl::FunctionRef<absl::StatusOr<std::string>()> body);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_ASK_APART_H_
