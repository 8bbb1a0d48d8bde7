#include "nsentry/entered_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "base/pipe.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "nsentry/child_claims.h"

namespace nsctl::nsentry {
namespace {

using base::ErrnoStatus;
using base::OwnedFd;

// What the first child sends, once.
struct Report {
  EntryResult result;
  // Of `before_entry`.
  int32_t before_error = 0;
  // The second child, 0 where there is none, kAnswered where it is said later.
  pid_t second = 0;
};

constexpr pid_t kAnswered = -1;
// How long one that was killed is waited for.
constexpr absl::Duration kEndPatience = absl::Seconds(2);
// How often it is asked whether a start is still wanted.
constexpr absl::Duration kAskInterval = absl::Milliseconds(20);
// No error of the kernel is above (include/linux/err.h).
constexpr int32_t kMaxErrno = 4095;

bool IsReadable(const OwnedFd& fd, absl::Duration patience) {
  struct pollfd waiting = {.fd = fd.get(), .events = POLLIN, .revents = 0};
  const absl::Time deadline = absl::Now() + patience;
  int ready;
  do {
    ready = poll(&waiting, 1, base::PollTimeout(deadline));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// False where the reader is gone: then nobody waits for this process.
bool Send(const Report& report, int fd) {
  return write(fd, &report, sizeof(report)) == sizeof(report);
}

void Guard() {
  // Whoever is in the namespaces must not look into this copy of the caller's memory, nor open its
  // /proc/PID/exe.
  prctl(PR_SET_DUMPABLE, 0);
  // Again after setns(2), which takes it back with the new credentials.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// A sibling of the calling process, so that the caller of Start is its parent.
pid_t ForkSibling() {
  return static_cast<pid_t>(syscall(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr));
}

[[noreturn]] void RunBody(absl::FunctionRef<int()> body) {
  Guard();
  _exit(body());
}

void SetForkFailure(const EntryPlan& plan, int error, EntryResult* result) {
  const auto is_pid = [](const EntryStep& step) { return step.type == base::NamespaceType::kPid; };
  result->phase = EntryResult::Phase::kFork;
  result->error = error;
  result->step = static_cast<int32_t>(
      std::find_if(plan.steps().begin(), plan.steps().end(), is_pid) - plan.steps().begin());
}

[[noreturn]] void RunSecond(const EntryPlan& plan, absl::FunctionRef<int()> body, Report report,
                            int to_parent) {
  // The child may only begin once the parent knows of it, and ends where the parent does not.
  int gate[2];
  report.second = pipe2(gate, O_CLOEXEC) == 0 ? ForkSibling() : -1;
  const int fork_error = errno;
  if (report.second == 0) {
    char go;
    close(gate[1]);
    close(to_parent);
    if (read(gate[0], &go, 1) != 1) _exit(1);
    close(gate[0]);
    RunBody(body);
  }
  if (report.second < 0) {
    SetForkFailure(plan, fork_error, &report.result);
    report.second = 0;
  }
  const bool sent = Send(report, to_parent);
  const bool opened = sent && report.result.ok() && write(gate[1], "g", 1) == 1;
  _exit(opened ? 0 : 1);
}

[[noreturn]] void RunChild(const EntryPlan& plan, const StartOptions& options,
                           absl::FunctionRef<int()> body, int to_parent) {
  Guard();
  Report report;
  if (options.before_entry != nullptr) report.before_error = options.before_entry();
  if (report.before_error == 0) report.result = Enter(plan, options.method);
  const bool goes_on = report.before_error == 0 && report.result.ok();
  const bool sibling = plan.Enters(base::NamespaceType::kPid);
  if (goes_on && options.execute != nullptr) {
    report.second = sibling ? kAnswered : 0;
    const bool sent = Send(report, to_parent);
    if (!sibling) close(to_parent);
    _exit(sent ? options.execute(sibling ? to_parent : -1) : 1);
  }
  if (!goes_on || !sibling) {
    const bool sent = Send(report, to_parent);
    close(to_parent);
    if (!goes_on || !sent) _exit(1);
    RunBody(body);
  }
  RunSecond(plan, body, report, to_parent);
}

class Patience {
 public:
  explicit Patience(const StartOptions& options)
      : options_(options), deadline_(absl::Now() + options.timeout) {}

  // Until `fd` is readable or its other end is gone. `what` is waited for, for messages.
  absl::Status Await(const OwnedFd& fd, absl::string_view what) const {
    while (true) {
      absl::Duration left = deadline_ - absl::Now();
      if (options_.is_cancelled != nullptr) left = std::min(left, kAskInterval);
      if (IsReadable(fd, left)) return absl::OkStatus();
      if (options_.is_cancelled != nullptr && options_.is_cancelled()) {
        return absl::CancelledError(absl::StrCat(what, ": given up"));
      }
      if (absl::Now() >= deadline_) {
        return absl::DeadlineExceededError(absl::StrCat(what, ": no answer in time"));
      }
    }
  }

 private:
  const StartOptions& options_;
  const absl::Time deadline_;
};

// What the child sends next; nullopt at the end.
template <typename T>
std::optional<T> Receive(const OwnedFd& from_child) {
  T sent;
  const ssize_t size = read(from_child.get(), &sent, sizeof(sent));
  if (size != sizeof(sent)) return std::nullopt;
  return sent;
}

// Whether the status of `pid`, which has ended, can be had: somebody who traces it keeps it, for as
// long as that is so.
bool IsStatusThere(pid_t pid) {
  const absl::Time deadline = absl::Now() + kEndPatience;
  while (true) {
    siginfo_t info = {};
    const int result =
        waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
    // ECHILD too is for whoever waits for it to see.
    if (info.si_pid != 0 || (result != 0 && errno != EINTR)) return true;
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
}

void KillAndReap(pid_t pid, const OwnedFd& pidfd) {
  if (pidfd.ok()) {
    syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  } else {
    // A child that was not waited for keeps its number.
    kill(pid, SIGKILL);
  }
  // One that waits for a file system that never answers does not end: it is left behind.
  if (pidfd.ok() && !IsReadable(pidfd, kEndPatience)) return;
  if (!IsStatusThere(pid)) return;
  ReleaseChild(pid);
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

// Whoever answers has become another program, and is in the namespaces: nothing is believed.
absl::Status CheckAnswer(const EntryPlan& plan, int32_t answer, EntryResult* result) {
  if (answer > 0) return absl::OkStatus();
  if (answer == 0 || answer < -kMaxErrno) {
    return absl::AbortedError("enter namespaces: the launcher's answer makes no sense");
  }
  SetForkFailure(plan, -answer, result);
  return EntryStatus(plan, *result);
}

}  // namespace

absl::StatusOr<EnteredProcess> EnteredProcess::OfChild(pid_t pid) {
  if (!ClaimChild(pid)) {
    return absl::AbortedError(
        absl::StrCat("enter namespaces: process ", pid, " is not the one that was started"));
  }
  // It is a zombie at most until this process waits for it: the number is its own.
  EnteredProcess process(pid, OwnedFd());
  NSCTL_ASSIGN_OR_RETURN(process.pidfd_, base::OpenPidfd(base::Pid{pid}));
  return process;
}

absl::StatusOr<EnteredProcess> EnteredProcess::Start(const EntryPlan& plan,
                                                     const StartOptions& options,
                                                     absl::FunctionRef<int()> body,
                                                     EntryResult* result) {
  NSCTL_RETURN_IF_ERROR(plan.Check());
  NSCTL_ASSIGN_OR_RETURN(base::Pipe pipe, base::MakePipe());
  const pid_t pid = fork();
  if (pid < 0) {
    const int error = errno;
    return ErrnoStatus(error, "fork");
  }
  if (pid == 0) {
    close(pipe.read_end.get());
    RunChild(plan, options, body, pipe.write_end.get());
  }
  (void)pipe.write_end.Close();
  const Patience patience(options);
  NSCTL_ASSIGN_OR_RETURN(EnteredProcess first, OfChild(pid));
  NSCTL_RETURN_IF_ERROR(patience.Await(pipe.read_end, "enter namespaces"));
  const std::optional<Report> report = Receive<Report>(pipe.read_end);
  if (!report.has_value()) {
    return absl::AbortedError("enter namespaces: the child has ended without an answer");
  }
  if (report->before_error != 0) {
    return ErrnoStatus(report->before_error, options.before_entry_name);
  }
  *result = report->result;
  NSCTL_RETURN_IF_ERROR(EntryStatus(plan, *result));
  pid_t second_pid = report->second;
  if (second_pid == kAnswered) {
    NSCTL_RETURN_IF_ERROR(patience.Await(pipe.read_end, options.execute_name));
    const std::optional<int32_t> answer = Receive<int32_t>(pipe.read_end);
    // It ended on its way, and says otherwise why.
    if (!answer.has_value()) return first;
    NSCTL_RETURN_IF_ERROR(CheckAnswer(plan, *answer, result));
    second_pid = *answer;
  }
  if (second_pid == 0) return first;
  // Waits at its gate, or is a zombie.
  NSCTL_ASSIGN_OR_RETURN(EnteredProcess second, OfChild(second_pid));
  NSCTL_RETURN_IF_ERROR(patience.Await(first.pidfd_, "leave the entered process to itself"));
  (void)first.Wait();
  return second;
}

absl::StatusOr<EnteredProcess> EnteredProcess::Start(const EntryPlan& plan,
                                                     const StartOptions& options,
                                                     absl::FunctionRef<int()> body) {
  EntryResult result;
  return Start(plan, options, body, &result);
}

EnteredProcess::EnteredProcess(EnteredProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

EnteredProcess::~EnteredProcess() {
  if (pid_ != 0) KillAndReap(pid_, pidfd_);
}

absl::StatusOr<int> EnteredProcess::Wait() {
  (void)IsReadable(pidfd_, absl::InfiniteDuration());
  if (!IsStatusThere(pid_)) {
    const pid_t pid = std::exchange(pid_, 0);
    return absl::DeadlineExceededError(
        absl::StrCat("process ", pid, " ended, and whoever traces it keeps its status"));
  }
  ReleaseChild(pid_);
  int status = 0;
  pid_t waited;
  do {
    waited = waitpid(pid_, &status, __WALL);
  } while (waited < 0 && errno == EINTR);
  const int error = errno;
  pid_ = 0;
  if (waited < 0) return ErrnoStatus(error, "wait for the child");
  return status;
}

void EnteredProcess::Kill() {
  if (pid_ != 0) syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

}  // namespace nsctl::nsentry
