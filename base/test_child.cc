#include "base/test_child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pipe.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// What the child does: system calls alone.
[[noreturn]] void RunChild(int clone_flags, absl::FunctionRef<int()> setup, const Pipe& ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // So that the write below ends a child whose parent died before prctl(2) took effect.
  close(ready.read_end.get());
  int error = 0;
  if ((clone_flags & CLONE_NEWNS) && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
    error = errno;
  }
  if (error == 0) error = setup();
  if (write(ready.write_end.get(), &error, sizeof(error)) != sizeof(error)) _exit(1);
  while (true) pause();
}

// The errno that the child sent, EPIPE where it ended instead.
int AwaitReady(const Pipe& ready) {
  int error = 0;
  while (true) {
    const ssize_t count = read(ready.read_end.get(), &error, sizeof(error));
    if (count == sizeof(error)) return error;
    if (count >= 0 || errno != EINTR) return EPIPE;
  }
}

}  // namespace

absl::StatusOr<TestChild> TestChild::Start(int clone_flags, absl::FunctionRef<int()> setup) {
  NSCTL_ASSIGN_OR_RETURN(Pipe ready, MakePipe());
  // fork(2) with flags: the child is in its namespaces from the start, in a new PID namespace too.
  const long pid = syscall(SYS_clone, clone_flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) {
    const int error = errno;
    return ErrnoStatus(error, "clone");
  }
  if (pid == 0) RunChild(clone_flags, setup, ready);
  TestChild child(static_cast<pid_t>(pid));
  NSCTL_RETURN_IF_ERROR(ready.write_end.Close());
  const int error = AwaitReady(ready);
  if (error != 0) return ErrnoStatus(error, "child's setup");
  return child;
}

absl::StatusOr<TestChild> TestChild::Start(int clone_flags) {
  return Start(clone_flags, [] { return 0; });
}

TestChild::TestChild(TestChild&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}

absl::StatusOr<OwnedFd> TestChild::Open(const std::string& name) const {
  return OpenAt(FdRef(AT_FDCWD), absl::StrCat("/proc/", pid_, "/", name), O_RDONLY);
}

absl::StatusOr<OwnedFd> TestChild::OpenNamespace(NamespaceType type) const {
  return Open(absl::StrCat("ns/", InfoOf(type).name));
}

void TestChild::Stop() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace nsctl::base
