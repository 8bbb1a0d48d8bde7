#include "cmd/exec_signals.h"

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/errors.h"

namespace nsctl::cmd {
namespace {

sigset_t TakenSignals() {
  sigset_t set;
  sigfillset(&set);
  for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE,
                         SIGTSTP, SIGTTIN, SIGTTOU}) {
    sigdelset(&set, kept);
  }
  return set;
}

bool IsIgnored(int number) {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

absl::StatusOr<SignalSource> SignalSource::Open() {
  SignalSource source;
  sigemptyset(&source.ends_);
  for (const int end : {SIGINT, SIGTERM}) {
    if (!IsIgnored(end)) sigaddset(&source.ends_, end);
  }
  signal(SIGCHLD, SIG_DFL);
  const sigset_t taken = TakenSignals();
  if (sigprocmask(SIG_BLOCK, &taken, &source.before_) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "sigprocmask");
  }
  source.active_ = true;
  source.fd_ = base::OwnedFd(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK), "signals");
  if (!source.fd_.ok()) {
    const int error = errno;
    return base::ErrnoStatus(error, "signalfd");
  }
  return source;
}

SignalSource::SignalSource(SignalSource&& other) noexcept
    : fd_(std::move(other.fd_)),
      before_(other.before_),
      ends_(other.ends_),
      active_(std::exchange(other.active_, false)) {}

SignalSource::~SignalSource() {
  if (active_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<SignalSource::Signal> SignalSource::Next() const {
  struct signalfd_siginfo info;
  if (read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return std::nullopt;
  return Signal{static_cast<int>(info.ssi_signo), info.ssi_code <= 0};
}

bool SignalSource::AsksToEnd(int number) const { return sigismember(&ends_, number) == 1; }

int SignalSource::PendingEnd() const {
  sigset_t pending;
  if (sigpending(&pending) != 0) return 0;
  for (const int end : {SIGINT, SIGTERM}) {
    if (AsksToEnd(end) && sigismember(&pending, end) == 1) return end;
  }
  return 0;
}

void SendSignal(base::FdRef pidfd, int signal) {
  syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

}  // namespace nsctl::cmd
