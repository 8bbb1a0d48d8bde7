// Takes hold of every process that starts while it runs, as far as the kernel allows it, and says
// of each which program it was then. For tests of what `nsctl exec` leaves open to whoever owns the
// namespaces. Ends with its standard input.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// The number that was dealt last; 0 where it cannot be read.
pid_t LastPid(int loadavg) {
  char text[128];
  const ssize_t size = pread(loadavg, text, sizeof(text) - 1, 0);
  if (size <= 0) return 0;
  text[size] = 0;
  const char* const last = strrchr(text, ' ');
  return last == nullptr ? 0 : atoi(last);
}

// "/proc/1234/exe" leads to this once the process is held still.
std::string ProgramOf(pid_t pid) {
  int status;
  if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) return "";
  if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) return "";
  char program[4096];
  // NSCTL_ALLOW(proc-literal): whichever procfs is mounted where this runs.
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  const ssize_t size = readlink(path.c_str(), program, sizeof(program));
  return size < 0 ? "" : std::string(program, static_cast<size_t>(size));
}

void Seize(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return;
  const std::string program = ProgramOf(pid);
  if (!program.empty()) printf("%s\n", program.c_str());
  fflush(stdout);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

bool InputHasEnded() {
  struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) != 0;
}

}  // namespace

int main() {
  // NSCTL_ALLOW(proc-literal): as above.
  const int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  pid_t last = LastPid(loadavg);
  if (last == 0) return 1;
  printf("ready\n");
  fflush(stdout);
  while (!InputHasEnded()) {
    // The one after the last may be born any moment.
    const pid_t newest = LastPid(loadavg) + 1;
    for (pid_t pid = newest - 4 > last ? newest - 4 : last; pid <= newest; ++pid) {
      if (pid != getpid()) Seize(pid);
    }
    while (waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {
    }
  }
  return 0;
}
