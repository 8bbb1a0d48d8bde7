// The milliseconds that poll(2) and epoll_wait(2) take.

#ifndef NSCTL_BASE_POLL_TIMEOUT_H_
#define NSCTL_BASE_POLL_TIMEOUT_H_

#include "absl/time/time.h"

namespace nsctl::base {

// Rounded up: a wait does not end before its time, nor is it begun again and again with 0 in the
// last millisecond. Without end, -1 (for ever); 0 where the time is over; at most INT_MAX.
int PollTimeout(absl::Duration patience);
int PollTimeout(absl::Time deadline);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_POLL_TIMEOUT_H_
