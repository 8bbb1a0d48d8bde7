// A request to stop, for threads that wait in poll(2). Thread-safe; requested once, for good.

#ifndef NSCTL_ENGINES_STOP_SIGNAL_H_
#define NSCTL_ENGINES_STOP_SIGNAL_H_

#include <atomic>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::engines {

class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void Request();
  bool requested() const { return requested_.load(std::memory_order_acquire); }

  // Readable from the request on.
  base::FdRef fd() const { return fd_; }

 private:
  std::atomic<bool> requested_ = false;
  base::OwnedFd fd_;
};

// Waits until `fd` is ready for `events` (POLLIN, POLLOUT), or broken. Errors: CANCELLED once
// `stop` (which may be null) is requested; DEADLINE_EXCEEDED.
absl::Status AwaitReady(base::FdRef fd, short events, absl::Time deadline, const StopSignal* stop);

// Waits until `time`, or less where `stop` is requested.
void AwaitTime(absl::Time time, const StopSignal& stop);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_STOP_SIGNAL_H_
