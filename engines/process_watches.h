// Processes whose ends are waited for, each under a number.
//
// Where the kernel gives no descriptor to wait for, they are looked at often instead. For one
// thread at a time.

#ifndef NSCTL_ENGINES_PROCESS_WATCHES_H_
#define NSCTL_ENGINES_PROCESS_WATCHES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/container_process.h"

namespace nsctl::engines {

class ProcessWatches {
 public:
  ProcessWatches();

  void Watch(uint64_t number, std::shared_ptr<const ContainerProcess> process);
  // Nothing where it is not watched.
  void Unwatch(uint64_t number);
  // Whatever else ends the waiting: `fd` is readable.
  void WatchFd(uint64_t number, base::FdRef fd);

  // Waits until real time is `until`, or something is ready; the numbers of what is, in no order.
  // They stay ready until they are unwatched.
  std::vector<uint64_t> Wait(absl::Time until) const;

 private:
  void Add(uint64_t number, int fd);

  const base::OwnedFd epoll_;
  std::map<uint64_t, std::shared_ptr<const ContainerProcess>> watched_;
  // Of some there is no descriptor.
  bool blind_ = false;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PROCESS_WATCHES_H_
