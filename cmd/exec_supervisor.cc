#include "cmd/exec_supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/errors.h"
#include "base/poll_timeout.h"
#include "nsentry/entered_process.h"

namespace nsctl::cmd {
namespace {

class Supervisor {
 public:
  Supervisor(RunningExec& run, const SignalSource& signals, const Pty* pty, base::FdRef in,
             base::FdRef out)
      : run_(run), process_(*run.process()), signals_(signals), in_(in) {
    if (pty == nullptr) return;
    pty_ = pty;
    CopyWindowSize(in_, pty->master);
    terminal_.emplace(in_);
    pump_.emplace(in_, out, pty->master);
  }

  absl::Status Run();

 private:
  void HandleSignals();
  void HandleSignal(const SignalSource::Signal& signal);
  void StopWithTheCommand();

  RunningExec& run_;
  nsentry::EnteredProcess& process_;
  const SignalSource& signals_;
  base::FdRef in_;
  const Pty* pty_ = nullptr;
  std::optional<RawTerminal> terminal_;
  std::optional<TerminalPump> pump_;
};

void Supervisor::StopWithTheCommand() {
  siginfo_t info = {};
  constexpr int kFlags = WSTOPPED | WNOHANG | __WALL;
  if (waitid(P_PID, static_cast<id_t>(process_.pid()), &info, kFlags) != 0) return;
  if (info.si_pid == 0) return;
  if (terminal_.has_value()) terminal_->Restore();
  raise(SIGSTOP);
  if (terminal_.has_value()) terminal_->Enter();
  SendSignal(process_.pidfd(), SIGCONT);
}

void Supervisor::HandleSignal(const SignalSource::Signal& signal) {
  switch (signal.number) {
    case SIGCHLD:
      return StopWithTheCommand();
    case SIGWINCH:
      if (pty_ != nullptr) return CopyWindowSize(in_, pty_->master);
      break;
    case SIGCONT:
      if (terminal_.has_value()) terminal_->Enter();
      break;
    default:
      break;
  }
  // The command is not among the processes of the user's terminal where it has one of its own.
  run_.Pass(signal, signals_, !signal.sent && pty_ == nullptr);
}

void Supervisor::HandleSignals() {
  while (const std::optional<SignalSource::Signal> signal = signals_.Next()) HandleSignal(*signal);
}

absl::Status Supervisor::Run() {
  enum { kEnd, kSignals, kNews, kIn, kMaster, kCount };
  struct pollfd waiting[kCount] = {
      {.fd = process_.pidfd().get(), .events = POLLIN, .revents = 0},
      {.fd = signals_.fd().get(), .events = POLLIN, .revents = 0},
      {.fd = -1, .events = POLLIN, .revents = 0},
      {.fd = -1, .events = 0, .revents = 0},
      {.fd = pump_.has_value() ? pty_->master.get() : -1, .events = 0, .revents = 0}};
  bool has_ended = false;
  while (!has_ended && run_.Tend()) {
    // A negative descriptor is passed over; one without events would still report its end.
    waiting[kNews].fd = run_.news().get();
    if (pump_.has_value()) {
      waiting[kIn].fd = pump_->InEvents() != 0 ? in_.get() : -1;
      waiting[kIn].events = pump_->InEvents();
      waiting[kMaster].events = pump_->MasterEvents();
    }
    if (poll(waiting, kCount, base::PollTimeout(run_.NextTime())) < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      return base::ErrnoStatus(error, "poll");
    }
    if (waiting[kNews].revents != 0) run_.TakeNews();
    if (waiting[kSignals].revents != 0) HandleSignals();
    if (waiting[kIn].fd >= 0 && waiting[kIn].revents != 0) pump_->HandleIn();
    if (waiting[kMaster].revents != 0 && !pump_->HandleMaster(waiting[kMaster].revents)) {
      waiting[kMaster].fd = -1;
    }
    has_ended = waiting[kEnd].revents != 0;
  }
  if (pump_.has_value()) pump_->Drain();
  if (has_ended) run_.Finish();
  return absl::OkStatus();
}

}  // namespace

absl::Status Supervise(RunningExec& run, const SignalSource& signals, const Pty* pty,
                       base::FdRef in, base::FdRef out) {
  return Supervisor(run, signals, pty, in, out).Run();
}

}  // namespace nsctl::cmd
