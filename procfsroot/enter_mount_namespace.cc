#include "procfsroot/enter_mount_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "procfsroot/descriptor_message.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// What a task does on its way.
enum class Step : int { kUnshare, kJoinUser, kJoinMount, kOpen, kSend, kDone };

const char* NameOf(Step step) {
  constexpr const char* kNames[] = {"unshare CLONE_FS", "setns user", "setns mnt",
                                    "open root of",     "sendmsg",    "done"};
  return kNames[static_cast<int>(step)];
}

struct Progress {
  // The step that failed, with `error`; kDone where none did.
  Step step = Step::kDone;
  int error = 0;
};

// System calls alone: also runs in a child of a process with threads.
int JoinAndOpen(int mount_namespace, const InsideFile& file, Progress* progress) {
  progress->step = Step::kJoinMount;
  if (syscall(SYS_setns, mount_namespace, CLONE_NEWNS) != 0) {
    progress->error = errno;
    return -1;
  }
  progress->step = Step::kOpen;
  const long fd = syscall(SYS_openat, file.directory.get(), file.path, file.flags | O_CLOEXEC, 0);
  if (fd < 0) {
    progress->error = errno;
    return -1;
  }
  progress->step = Step::kDone;
  return static_cast<int>(fd);
}

[[noreturn]] void RunChild(int mount_namespace, int user_namespace, const InsideFile& file,
                           int socket_fd) {
  // Nobody in the other user namespace may look into this copy of the caller's memory.
  syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  Progress progress = {.step = Step::kJoinUser, .error = 0};
  int root = -1;
  // EINVAL: it is there already.
  if (syscall(SYS_setns, user_namespace, CLONE_NEWUSER) != 0 && errno != EINVAL) {
    progress.error = errno;
  } else {
    // Behind setns(2), which takes it back with the new credentials.
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    root = JoinAndOpen(mount_namespace, file, &progress);
  }
  SendOutcome(socket_fd, {static_cast<int>(progress.step), progress.error}, root);
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

// What the child sent.
absl::StatusOr<OwnedFd> Receive(FdRef socket_fd, absl::Duration timeout, FdRef name) {
  absl::StatusOr<FetchResult> result = ReceiveOutcome(socket_fd, timeout, name.path());
  if (!result.ok()) {
    const int error = base::ErrnoOf(result.status());
    return ErrnoStatus(error, error == ETIMEDOUT ? "enter" : NameOf(Step::kSend), name.path());
  }
  const auto step = static_cast<Step>(result->outcome.step);
  if (step != Step::kDone) return ErrnoStatus(result->outcome.error, NameOf(step), name.path());
  // A descriptor is missing where the caller may open no more.
  if (!result->fd.ok()) return ErrnoStatus(EMFILE, "recvmsg", name.path());
  return std::move(result->fd);
}

}  // namespace

absl::StatusOr<OwnedFd> OpenRootByThisThread(FdRef mount_namespace, const InsideFile& file) {
  // setns(2) demands a root and current directory that no other task shares.
  if (unshare(CLONE_FS) != 0) {
    const int error = errno;
    return ErrnoStatus(error, NameOf(Step::kUnshare), mount_namespace.path());
  }
  Progress progress;
  const int root = JoinAndOpen(mount_namespace.get(), file, &progress);
  if (root < 0) {
    return ErrnoStatus(progress.error, NameOf(progress.step), mount_namespace.path());
  }
  return OwnedFd(root, std::string(mount_namespace.path()));
}

absl::StatusOr<OwnedFd> OpenRootByChild(FdRef mount_namespace, FdRef user_namespace,
                                        absl::Duration timeout, const InsideFile& file) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "socketpair");
  }
  const OwnedFd from_child(ends[0]);
  OwnedFd to_parent(ends[1]);
  // As fork(2), but without its handlers and without a signal at the child's end.
  const long pid = syscall(SYS_clone, 0UL, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) {
    const int error = errno;
    return ErrnoStatus(error, "clone");
  }
  if (pid == 0) {
    RunChild(mount_namespace.get(), user_namespace.get(), file, to_parent.get());
  }
  // So that the child's end ends the wait.
  (void)to_parent.Close();
  absl::StatusOr<OwnedFd> root = Receive(from_child, timeout, mount_namespace);
  kill(static_cast<pid_t>(pid), SIGKILL);
  while (waitpid(static_cast<pid_t>(pid), nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return root;
}

}  // namespace nsctl::procfsroot
