#include "procfsroot/run_in_child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"

namespace nsctl::procfsroot {
namespace {

// Kernels that deal namespace ids per CPU refuse to mount a mount namespace whose id is lower than
// that of the one it is mounted in; on one CPU ids ascend.
void StayOnOneCpu() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(std::max(sched_getcpu(), 0), &cpus);
  sched_setaffinity(0, sizeof(cpus), &cpus);
}

std::string EnterNamespaces(int clone_flags) {
  if (clone_flags & CLONE_NEWNS) StayOnOneCpu();
  if (clone_flags != 0 && unshare(clone_flags) != 0) {
    return absl::StrCat("unshare: ", base::ErrnoName(errno));
  }
  if ((clone_flags & CLONE_NEWNS) && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
    return absl::StrCat("mount: ", base::ErrnoName(errno));
  }
  return "";
}

}  // namespace

std::string RunInChild(int clone_flags, absl::FunctionRef<std::string()> body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "pipe2 failed";
  const base::OwnedFd from_child(ends[0]);
  base::OwnedFd to_parent(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return "fork failed";
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string failure = EnterNamespaces(clone_flags);
    if (failure.empty()) failure = body();
    _exit(base::WriteAll(to_parent, failure).ok() ? 0 : 1);
  }
  (void)to_parent.Close();
  std::string failure;
  const absl::Status read = base::ReadToEnd(from_child, 1 << 20, &failure);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!read.ok()) return std::string(read.message());
  if (WIFSIGNALED(status)) return absl::StrCat("child ended by signal ", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return absl::StrCat("child ended with ", WEXITSTATUS(status));
  return failure;
}

}  // namespace nsctl::procfsroot
