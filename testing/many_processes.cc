#include "testing/many_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "base/errors.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "gtest/gtest.h"
#include "testing/child_fds.h"

namespace nsctl::testing {
namespace {

constexpr int kStartTimeoutMs = 120000;
constexpr int kEndTimeoutMs = 60000;
// Each task has its own: all of them run in one address space.
constexpr size_t kStackSize = 8 << 10;

// Shared by the test and all processes, which after fork(2) use nothing but it and system calls.
struct Nursery {
  ManyProcessesOptions options;
  // Read: ends when it is time to end.
  int hold;
  // Written: ends when all is done or has failed.
  int told;
  // The errno of what failed.
  int error;
  // How many processes are at rest.
  uint32_t resting;
  char* stacks;
  size_t used_stacks;
  size_t started;
  pid_t pids[];
};

size_t SizeOf(const ManyProcessesOptions& options) {
  return sizeof(Nursery) + options.count * sizeof(pid_t);
}

size_t StacksSizeOf(const ManyProcessesOptions& options) {
  return options.count * (1 + options.threads) * kStackSize;
}

// The stack's upper end; stacks grow down.
char* NextStack(Nursery* nursery) { return nursery->stacks + ++nursery->used_stacks * kStackSize; }

int RunThread(void*) {
  while (true) pause();
}

// The next process is made once this one rests, so that only one at a time works on `argument`.
int RunProcess(void* argument) {
  auto* const nursery = static_cast<Nursery*>(argument);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(nursery->hold);
  close(nursery->told);
  const int flags =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  for (size_t i = 0; i < nursery->options.threads; ++i) {
    if (clone(RunThread, NextStack(nursery), flags, nullptr) < 0) nursery->error = errno;
  }
  __atomic_add_fetch(&nursery->resting, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &nursery->resting, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  while (true) pause();
}

// False, and errno set, where a call failed.
bool StartProcesses(Nursery* nursery) {
  for (size_t i = 0; i < nursery->options.files; ++i) {
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return false;
  }
  const int flags = nursery->options.namespaces | CLONE_VM | SIGCHLD;
  while (nursery->started < nursery->options.count) {
    const pid_t pid = clone(RunProcess, NextStack(nursery), flags, nursery);
    if (pid < 0) return false;
    nursery->pids[nursery->started] = pid;
    const auto before = static_cast<uint32_t>(nursery->started++);
    while (__atomic_load_n(&nursery->resting, __ATOMIC_ACQUIRE) == before) {
      syscall(SYS_futex, &nursery->resting, FUTEX_WAIT, before, nullptr, nullptr, 0);
    }
    errno = nursery->error;
    if (errno != 0) return false;
  }
  return true;
}

[[noreturn]] void RunNursery(Nursery* nursery) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  CloseDescriptorsBut(nursery->hold, nursery->told);
  nursery->error = StartProcesses(nursery) ? 0 : errno;
  close(nursery->told);
  char byte;
  while (read(nursery->hold, &byte, 1) < 0 && errno == EINTR) {
  }
  for (size_t i = 0; i < nursery->started; ++i) kill(nursery->pids[i], SIGKILL);
  for (size_t i = 0; i < nursery->started; ++i) waitpid(nursery->pids[i], nullptr, 0);
  _exit(0);
}

absl::StatusOr<void*> Map(size_t size, int flags) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) return memory;
  const int error = errno;
  return base::ErrnoStatus(error, "mmap");
}

struct Pipe {
  base::OwnedFd read_end;
  base::OwnedFd write_end;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "pipe2");
  }
  return Pipe{base::OwnedFd(ends[0]), base::OwnedFd(ends[1])};
}

bool AwaitReadable(base::FdRef fd, int timeout_ms) {
  struct pollfd item = {.fd = fd.get(), .events = POLLIN, .revents = 0};
  return poll(&item, 1, timeout_ms) == 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ManyProcesses>> ManyProcesses::Start(
    const ManyProcessesOptions& options) {
  const size_t size = SizeOf(options);
  const size_t stacks_size = StacksSizeOf(options) + kStackSize;
  NSCTL_ASSIGN_OR_RETURN(void* const memory, Map(size, MAP_SHARED));
  const absl::Cleanup unmap = [=] { munmap(memory, size); };
  NSCTL_ASSIGN_OR_RETURN(void* const stacks, Map(stacks_size, MAP_PRIVATE | MAP_NORESERVE));
  const absl::Cleanup unmap_stacks = [=] { munmap(stacks, stacks_size); };
  NSCTL_ASSIGN_OR_RETURN(Pipe hold, MakePipe());
  NSCTL_ASSIGN_OR_RETURN(Pipe told, MakePipe());
  auto* const nursery = static_cast<Nursery*>(memory);
  nursery->options = options;
  nursery->hold = hold.read_end.get();
  nursery->told = told.write_end.get();
  nursery->stacks = static_cast<char*>(stacks);

  const pid_t parent = fork();
  if (parent < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "fork");
  }
  if (parent == 0) RunNursery(nursery);
  auto processes = absl::WrapUnique(new ManyProcesses(parent, std::move(hold.write_end)));
  NSCTL_RETURN_IF_ERROR(told.write_end.Close());
  if (!AwaitReadable(told.read_end, kStartTimeoutMs)) {
    return absl::DeadlineExceededError("start many processes");
  }
  if (nursery->error != 0) return base::ErrnoStatus(nursery->error, "start many processes");
  for (size_t i = 0; i < options.count; ++i) {
    processes->pids_.push_back(base::Pid{nursery->pids[i]});
  }
  return processes;
}

ManyProcesses::~ManyProcesses() {
  EXPECT_TRUE(hold_.Close().ok());
  const absl::StatusOr<base::OwnedFd> pidfd = base::OpenPidfd(base::Pid{parent_});
  if (!pidfd.ok() || !AwaitReadable(*pidfd, kEndTimeoutMs)) {
    ADD_FAILURE() << "process " << parent_ << " does not end its children";
    kill(parent_, SIGKILL);
  }
  while (waitpid(parent_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace nsctl::testing
