// Signals that are meant for a command and reach nsctl.

#ifndef NSCTL_CMD_EXEC_SIGNALS_H_
#define NSCTL_CMD_EXEC_SIGNALS_H_

#include <signal.h>

#include <optional>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// Takes signals by descriptor, from its beginning to its end: all that a process can be sent to
// make it do something, SIGCHLD and SIGWINCH. SIGCHLD is no longer ignored where it was, since
// children would be gone before they are waited for. Those that report faults and those of job
// control stay as they are. For programs with one thread.
class SignalSource {
 public:
  static absl::StatusOr<SignalSource> Open();

  SignalSource(SignalSource&& other) noexcept;
  SignalSource& operator=(SignalSource&& other) = delete;
  ~SignalSource();

  // Readable while there are signals.
  const base::OwnedFd& fd() const { return fd_; }
  // What was blocked before, as it is to be in the command.
  const sigset_t& mask_before() const { return before_; }

  struct Signal {
    int number = 0;
    // Sent by a process. What the kernel sends to a terminal's processes reaches the command by
    // itself.
    bool sent = false;
  };
  // The next one; nullopt where there is none.
  std::optional<Signal> Next() const;

  // Whether signal `number` says that the command is to end: SIGINT or SIGTERM, unless it was
  // ignored before, as a shell has it for what it leaves in the background.
  bool AsksToEnd(int number) const;
  // Such a signal that has come and was not taken yet; 0 where there is none.
  int PendingEnd() const;

 private:
  SignalSource() = default;

  base::OwnedFd fd_;
  sigset_t before_ = {};
  // Those of SIGINT and SIGTERM that were not ignored.
  sigset_t ends_ = {};
  bool active_ = false;
};

// SIGCHLD, SIGWINCH and SIGCONT have a meaning of their own here; all others are passed on.
void SendSignal(base::FdRef pidfd, int signal);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_SIGNALS_H_
