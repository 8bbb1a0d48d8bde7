#include "cmd/exec_first_process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace nsctl::cmd {
namespace {

constexpr int kSignalBase = 128;
constexpr int kFirstOwnDescriptor = 3;

int ExitStatusOf(int status) {
  return WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status);
}

// True where `command` was among what has ended.
bool Reap(pid_t command, int* exit_status) {
  int status;
  while (true) {
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended == command) {
      *exit_status = ExitStatusOf(status);
      return true;
    }
    if (ended == 0 || (ended < 0 && errno != EINTR)) return false;
  }
}

}  // namespace

int BeFirstProcess(pid_t command) {
  // Pipes end when their last writer does, which must not be this process.
  syscall(SYS_close_range, kFirstOwnDescriptor, ~0U, 0);
  sigset_t all;
  sigfillset(&all);
  // Signals that are blocked reach a first process, whatever their handlers are.
  sigprocmask(SIG_SETMASK, &all, nullptr);
  int exit_status = 0;
  while (!Reap(command, &exit_status)) {
    siginfo_t info;
    const int signal = sigwaitinfo(&all, &info);
    if (signal > 0 && signal != SIGCHLD) kill(command, signal);
  }
  return exit_status;
}

}  // namespace nsctl::cmd
