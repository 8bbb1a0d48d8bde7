// A terminal of its own for a command, and the user's one in the meantime.

#ifndef NSCTL_CMD_EXEC_TERMINAL_H_
#define NSCTL_CMD_EXEC_TERMINAL_H_

#include <termios.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// A new terminal of this host: what a container has at /dev/ptmx is not asked. `slave` is for the
// command alone. Errors: those of open(2) and ioctl_tty(2), naming the step.
struct Pty {
  base::OwnedFd master;
  base::OwnedFd slave;

  static absl::StatusOr<Pty> Open();
};

// The size of terminal `from` becomes that of `to`; nothing happens where it has none.
void CopyWindowSize(base::FdRef from, base::FdRef to);

// Passes every key on as it is, without echo, until its end, which restores what was before.
class RawTerminal {
 public:
  // Does nothing where `terminal` is none.
  explicit RawTerminal(base::FdRef terminal);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { Restore(); }

  bool is_terminal() const { return is_terminal_; }

  // Raw again, after this process was stopped and somebody else had the terminal.
  void Enter();
  void Restore();

 private:
  base::FdRef terminal_;
  bool is_terminal_ = false;
  struct termios before_ = {};
};

// Copies between the user's standard streams and the master of a terminal. Never blocks but in
// writing to `out`.
class TerminalPump {
 public:
  // Sets the master non-blocking.
  TerminalPump(base::FdRef in, base::FdRef out, base::FdRef master);

  // What poll(2) is to wait for: 0 for neither.
  short InEvents() const;
  short MasterEvents() const;

  void HandleIn();
  // False once the command's side is closed.
  bool HandleMaster(short events);
  // All that is left of the command's output.
  void Drain();

 private:
  bool CopyOut();

  base::FdRef in_;
  base::FdRef out_;
  base::FdRef master_;
  bool in_open_ = true;
  // Not yet taken by the command's side.
  std::string pending_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_TERMINAL_H_
