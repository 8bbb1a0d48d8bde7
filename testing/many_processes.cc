#include "testing/many_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "base/errors.h"
#include "base/fd.h"

namespace nsctl::testing {
namespace {

// Each task has its own: all of them run in one address space.
constexpr size_t kStackSize = 8 << 10;

// In memory shared with the test; everything after fork(2) works on it with system calls alone.
struct Nursery {
  ManyProcessesOptions options;
  // The errno that ended it, 0 while none has.
  int error;
  // The test's end is closed: time to end.
  int hold;
  // A process is there: one byte.
  int ready_read;
  int ready_write;
  char* stacks;
  size_t used_stacks;
  // As many as were started.
  size_t started;
  pid_t pids[];
};

void* NextStack(Nursery* nursery) {
  return nursery->stacks + ++nursery->used_stacks * kStackSize;
}

int RunThread(void*) {
  while (true) pause();
}

// The process before has been heard from before the next is made, so nothing here runs twice at a
// time, but for what follows the byte.
int RunProcess(void* argument) {
  auto* const nursery = static_cast<Nursery*>(argument);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  for (size_t i = 0; i < nursery->options.threads; ++i) {
    if (clone(RunThread, NextStack(nursery), flags, nullptr) < 0) nursery->error = errno;
  }
  close(nursery->hold);
  close(nursery->ready_read);
  const int ready = nursery->ready_write;
  const char byte = 0;
  // The descriptor stays open in the process before this one alone.
  const int copy = fcntl(ready, F_DUPFD_CLOEXEC, 0);
  close(ready);
  if (write(copy, &byte, 1) != 1) return 1;
  close(copy);
  while (true) pause();
}

bool OpenFiles(Nursery* nursery) {
  for (size_t i = 0; i < nursery->options.files; ++i) {
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return false;
  }
  return true;
}

bool StartProcesses(Nursery* nursery) {
  const int flags = nursery->options.namespaces | CLONE_VM | SIGCHLD;
  while (nursery->started < nursery->options.count) {
    const pid_t pid = clone(RunProcess, NextStack(nursery), flags, nursery);
    if (pid < 0) return false;
    nursery->pids[nursery->started++] = pid;
    char byte;
    if (read(nursery->ready_read, &byte, 1) != 1 || nursery->error != 0) return false;
  }
  return true;
}

[[noreturn]] void RunNursery(Nursery* nursery, int told, int ready[2]) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // As far as the kernel can (Linux 5.9): the test's descriptors are the test's.
  const int low = nursery->hold < told ? nursery->hold : told;
  const int high = nursery->hold < told ? told : nursery->hold;
  if (low > 3) syscall(SYS_close_range, 3, low - 1, 0);
  if (high - low > 1) syscall(SYS_close_range, low + 1, high - 1, 0);
  syscall(SYS_close_range, high + 1, ~0u, 0);
  static_cast<void>(ready);
  if (!OpenFiles(nursery) || !StartProcesses(nursery)) {
    if (nursery->error == 0) nursery->error = errno;
  }
  close(told);
  char byte;
  while (read(nursery->hold, &byte, 1) < 0 && errno == EINTR) {
  }
  for (size_t i = 0; i < nursery->started; ++i) kill(nursery->pids[i], SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  _exit(0);
}

}  // namespace
}  // namespace nsctl::testing
