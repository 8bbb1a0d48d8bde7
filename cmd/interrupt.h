// Lets a command that changes things end in order when it is told to.

#ifndef NSCTL_CMD_INTERRUPT_H_
#define NSCTL_CMD_INTERRUPT_H_

#include <signal.h>

#include <array>

namespace nsctl::cmd {

// While an object of this class is there, SIGINT, SIGTERM and SIGHUP end nothing by themselves,
// unless they were ignored before. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  // The first signal that came; 0 for none.
  static int Received();

 private:
  std::array<struct sigaction, 3> before_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_INTERRUPT_H_
