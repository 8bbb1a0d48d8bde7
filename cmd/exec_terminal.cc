#include "cmd/exec_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace nsctl::cmd {
namespace {

// Control-D: what a terminal takes for the end of input.
constexpr char kEndOfInput[] = "\x04";
constexpr size_t kChunk = 16 << 10;

}  // namespace

absl::StatusOr<Pty> Pty::Open() {
  Pty pty;
  NSCTL_ASSIGN_OR_RETURN(pty.master,
                         base::OpenAt(base::FdRef(AT_FDCWD), "/dev/ptmx", O_RDWR | O_NOCTTY));
  int unlocked = 0;
  if (ioctl(pty.master.get(), TIOCSPTLCK, &unlocked) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "unlock the terminal");
  }
  // By the master and not by a path, which may be another terminal's.
  const int slave = ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "open the terminal");
  }
  pty.slave = base::OwnedFd(slave, "terminal");
  return pty;
}

void CopyWindowSize(base::FdRef from, base::FdRef to) {
  struct winsize size;
  if (ioctl(from.get(), TIOCGWINSZ, &size) == 0) ioctl(to.get(), TIOCSWINSZ, &size);
}

RawTerminal::RawTerminal(base::FdRef terminal) : terminal_(terminal) {
  is_terminal_ = tcgetattr(terminal_.get(), &before_) == 0;
  Enter();
}

void RawTerminal::Enter() {
  if (!is_terminal_) return;
  struct termios raw = before_;
  cfmakeraw(&raw);
  tcsetattr(terminal_.get(), TCSADRAIN, &raw);
}

void RawTerminal::Restore() {
  if (is_terminal_) tcsetattr(terminal_.get(), TCSADRAIN, &before_);
}

TerminalPump::TerminalPump(base::FdRef in, base::FdRef out, base::FdRef master)
    : in_(in), out_(out), master_(master) {
  const int flags = fcntl(master_.get(), F_GETFL);
  fcntl(master_.get(), F_SETFL, flags | O_NONBLOCK);
}

short TerminalPump::InEvents() const { return in_open_ && pending_.empty() ? POLLIN : 0; }

short TerminalPump::MasterEvents() const {
  return static_cast<short>(POLLIN | (pending_.empty() ? 0 : POLLOUT));
}

void TerminalPump::HandleIn() {
  char buffer[kChunk];
  const ssize_t size = read(in_.get(), buffer, sizeof(buffer));
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size > 0) {
    pending_.assign(buffer, static_cast<size_t>(size));
  } else {
    in_open_ = false;
    pending_ = kEndOfInput;
  }
}

bool TerminalPump::CopyOut() {
  char buffer[kChunk];
  const ssize_t size = read(master_.get(), buffer, sizeof(buffer));
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return errno == EINTR;
  // EIO: nobody has the other side open.
  if (size <= 0) return false;
  return base::WriteAll(out_, absl::string_view(buffer, static_cast<size_t>(size))).ok();
}

bool TerminalPump::HandleMaster(short events) {
  if ((events & POLLOUT) != 0 && !pending_.empty()) {
    const ssize_t size = write(master_.get(), pending_.data(), pending_.size());
    if (size > 0) pending_.erase(0, static_cast<size_t>(size));
  }
  if ((events & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
  if (CopyOut()) return true;
  return (events & (POLLHUP | POLLERR)) == 0;
}

void TerminalPump::Drain() {
  while (CopyOut()) {
  }
}

}  // namespace nsctl::cmd
