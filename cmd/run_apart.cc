#include "cmd/run_apart.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
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
  _exit(written == 1 ? 0 : result);
}

// Ends this process as the child was ended.
int Mirror(int wait_status) {
  if (!WIFSIGNALED(wait_status)) return WEXITSTATUS(wait_status);
  const int number = WTERMSIG(wait_status);
  // The child's core is the one to look at.
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(number, SIG_DFL);
  raise(number);
  return 128 + number;
}

int AwaitChild(pid_t child, const OwnedFd& answer) {
  uint8_t result = 0;
  ssize_t got = 0;
  do {
    got = read(answer.get(), &result, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) return result;
  int wait_status = 0;
  while (waitpid(child, &wait_status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  return Mirror(wait_status);
}

}  // namespace

int RunApart(absl::FunctionRef<int()> body) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return body();
  const OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return body();
  if (child == 0) RunInChild(body, parent, std::move(write_end));
  (void)write_end.Close();
  const auto interrupt = signal(SIGINT, SIG_IGN);
  const auto quit = signal(SIGQUIT, SIG_IGN);
  const int result = AwaitChild(child, read_end);
  signal(SIGINT, interrupt);
  signal(SIGQUIT, quit);
  return result;
}

}  // namespace nsctl::cmd
