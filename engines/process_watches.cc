#include "engines/process_watches.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/poll_timeout.h"
#include "engines/container_process.h"

namespace nsctl::engines {
namespace {

// Blind, the kernel's word is asked for so often.
constexpr absl::Duration kBlindWait = absl::Milliseconds(200);

}  // namespace

ProcessWatches::ProcessWatches() : epoll_(epoll_create1(EPOLL_CLOEXEC), "epoll") {}

void ProcessWatches::Add(uint64_t number, int fd) {
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = number}};
  if (fd < 0 || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) blind_ = true;
}

void ProcessWatches::Watch(uint64_t number, std::shared_ptr<const ContainerProcess> process) {
  Add(number, process->poll_fd());
  watched_[number] = std::move(process);
}

void ProcessWatches::WatchFd(uint64_t number, base::FdRef fd) { Add(number, fd.get()); }

void ProcessWatches::Unwatch(uint64_t number) {
  const auto found = watched_.find(number);
  if (found == watched_.end()) return;
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, found->second->poll_fd(), nullptr);
  watched_.erase(found);
}

std::vector<uint64_t> ProcessWatches::Wait(absl::Time until) const {
  if (blind_) until = std::min(until, absl::Now() + kBlindWait);
  epoll_event events[64];
  const int ready = epoll_wait(epoll_.get(), events, static_cast<int>(std::size(events)),
                               base::PollTimeout(until));
  std::vector<uint64_t> numbers;
  for (int i = 0; i < ready; ++i) {
    // The kernel's structure is packed: no reference into it.
    const uint64_t number = events[i].data.u64;
    numbers.push_back(number);
  }
  if (!blind_) return numbers;
  for (const auto& [number, process] : watched_) {
    const bool is_told = std::find(numbers.begin(), numbers.end(), number) != numbers.end();
    if (!is_told && process->Ended()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace nsctl::engines
