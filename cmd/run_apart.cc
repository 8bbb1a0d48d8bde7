#include "cmd/run_apart.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/fd.h"

namespace nsctl::cmd {
namespace {

using base::OwnedFd;

[[noreturn]] void RunInChild(absl::FunctionRef<int()> body, pid_t parent, OwnedFd answer) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have ended before it was asked for.
  if (getppid() != parent) _exit(1);
  const auto result = static_cast<uint8_t>(body());
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(fd);
  // Where nobody reads it, there is nobody to tell.
  const ssize_t written = write(answer.get(), &result, 1);
  // What the caller's shell handed on, a lock perhaps, is not kept by what stays behind. Those that
  // were opened here come last, as closing one may block. The answer's end tells of this one's.
  const auto end = static_cast<unsigned int>(answer.get());
  if (end > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, end - 1, 0);
  close_range(end + 1, ~0U, 0);
  _exit(written == 1 ? 0 : result);
}

// Ends this process by the signal `number`.
int EndBy(int number) {
  // The child's core is the one to look at.
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(number, SIG_DFL);
  raise(number);
  return 128 + number;
}

// What the child gets as well, and may need a moment to obey.
constexpr int kForwarded[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
constexpr int kPatienceMilliseconds = 2000;
// How long a child that has answered is waited for.
constexpr int kEndMilliseconds = 100;

pid_t forward_to = 0;
volatile sig_atomic_t received = 0;

void Forward(int number) {
  received = number;
  kill(forward_to, number);
}

void ForwardSignals(pid_t child) {
  forward_to = child;
  received = 0;
  struct sigaction action = {};
  action.sa_handler = Forward;
  sigemptyset(&action.sa_mask);
  for (const int number : kForwarded) {
    struct sigaction before;
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
}

int AwaitChild(pid_t child, const OwnedFd& answer) {
  struct pollfd event = {.fd = answer.get(), .events = POLLIN, .revents = 0};
  while (true) {
    // A signal between these two is seen a moment later.
    const int count = poll(&event, 1, kPatienceMilliseconds);
    if (count > 0) break;
    // It cannot end: left behind.
    if (count == 0 && received != 0) return EndBy(received);
  }
  uint8_t result = 0;
  int wait_status = 0;
  if (read(answer.get(), &result, 1) == 1) {
    // Its time is then counted as this process's. The pipe is closed once all threads have ended.
    if (poll(&event, 1, kEndMilliseconds) > 0) waitpid(child, &wait_status, 0);
    return result;
  }
  while (waitpid(child, &wait_status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  return WIFSIGNALED(wait_status) ? EndBy(WTERMSIG(wait_status)) : WEXITSTATUS(wait_status);
}

}  // namespace

int RunApart(absl::FunctionRef<int()> body) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return body();
  const OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  const pid_t parent = getpid();
  // None must come between the child's beginning and the handlers that hand it on.
  sigset_t forwarded, before;
  sigemptyset(&forwarded);
  for (const int number : kForwarded) sigaddset(&forwarded, number);
  sigprocmask(SIG_BLOCK, &forwarded, &before);
  const pid_t child = fork();
  if (child > 0) ForwardSignals(child);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return body();
  if (child == 0) RunInChild(body, parent, std::move(write_end));
  (void)write_end.Close();
  return AwaitChild(child, read_end);
}

}  // namespace nsctl::cmd
