#include "engines/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/poll_timeout.h"

namespace nsctl::engines {
namespace {

// Where the system gives no descriptor, a stop is noticed so late.
constexpr absl::Duration kLongest = absl::Minutes(1);

}  // namespace

StopSignal::StopSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "stop signal") {}

void StopSignal::Request() {
  if (requested_.exchange(true, std::memory_order_acq_rel) || !fd_.ok()) return;
  const uint64_t one = 1;
  // Cannot fail: it is the only write.
  (void)base::WriteAll(fd_, {reinterpret_cast<const char*>(&one), sizeof(one)});
}

absl::Status AwaitReady(base::FdRef fd, short events, absl::Time deadline, const StopSignal* stop) {
  while (true) {
    if (stop != nullptr && stop->requested()) return absl::CancelledError("stopped");
    const absl::Time now = absl::Now();
    const bool late = now >= deadline;
    struct pollfd fds[] = {
        {.fd = fd.get(), .events = events, .revents = 0},
        {.fd = stop == nullptr ? -1 : stop->fd().get(), .events = POLLIN, .revents = 0}};
    const int ready = poll(fds, 2, base::PollTimeout(std::min(deadline - now, kLongest)));
    const int error = errno;
    if (ready < 0 && error != EINTR) return base::ErrnoStatus(error, "poll", fd.path());
    if (ready > 0 && fds[0].revents != 0) return absl::OkStatus();
    if (late && ready == 0) return absl::DeadlineExceededError("no answer in time");
  }
}

void AwaitTime(absl::Time time, const StopSignal& stop) {
  // poll(2) leaves out negative descriptors.
  (void)AwaitReady(base::FdRef(-1), 0, time, &stop);
}

}  // namespace nsctl::engines
