#include "procfsroot/open_apart.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "procfsroot/descriptor_message.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::OwnedFd;

constexpr int kHandleFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
constexpr absl::Duration kShortestWait = absl::Milliseconds(100);

// The children that did not end when they were killed. Never destroyed: threads may outlive main().
class LeftBehind {
 public:
  static LeftBehind& Get() {
    static LeftBehind* const list = new LeftBehind;
    return *list;
  }

  int Count() {
    const std::lock_guard lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG | __WALL) != 0; });
    return static_cast<int>(pids_.size());
  }
  void Add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

// What runs in the child makes system calls alone: the parent may have threads.

void CloseRange(unsigned int first, unsigned int last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  // Before Linux 5.9: what is beyond stays open as long as the child is there.
  constexpr unsigned int kClosedOneByOne = 1024;
  for (unsigned int fd = first; fd <= last && fd < kClosedOneByOne; ++fd) {
    syscall(SYS_close, fd);
  }
}

// Whoever waits for the end of one of the caller's files does not wait for this child.
void CloseAllBut(int a, int b) {
  const auto low = static_cast<unsigned int>(std::min(a, b));
  const auto high = static_cast<unsigned int>(std::max(a, b));
  if (low > 0) CloseRange(0, low - 1);
  if (high > low + 1) CloseRange(low + 1, high - 1);
  CloseRange(high + 1, ~0U);
}

// One component after the other; each is looked up in a handle that is no link, or fails.
long OpenByComponents(int directory, const char* path) {
  long at = directory == AT_FDCWD ? syscall(SYS_openat, AT_FDCWD, "/", kHandleFlags, 0) : directory;
  while (at >= 0) {
    while (*path == '/') ++path;
    if (*path == '\0') break;
    char name[NAME_MAX + 1];
    size_t size = 0;
    while (path[size] != '\0' && path[size] != '/') {
      if (size == NAME_MAX) return -ENAMETOOLONG;
      name[size] = path[size];
      ++size;
    }
    name[size] = '\0';
    path += size;
    if (size == 2 && name[0] == '.' && name[1] == '.') return -EINVAL;
    // Those on the way stay open for the little time that the child has.
    at = syscall(SYS_openat, static_cast<int>(at), name, kHandleFlags, 0);
  }
  return at < 0 ? -errno : at;
}

// A handle, or an errno negated.
long Open(const ApartPath& what) {
  const int directory = what.directory.get();
  const char* const path = what.path.c_str();
  if (what.follow_links) {
    const long fd = syscall(SYS_openat, directory, path, O_PATH | O_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
  }
  struct open_how how = {};
  how.flags = kHandleFlags;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  if (directory != AT_FDCWD) how.resolve |= RESOLVE_IN_ROOT;
  const long fd =
      what.without_openat2 ? -1 : syscall(SYS_openat2, directory, path, &how, sizeof(how));
  if (fd >= 0) return fd;
  // EPERM: forbidden by a seccomp filter.
  const bool is_missing = what.without_openat2 || errno == ENOSYS || errno == EPERM;
  return is_missing ? OpenByComponents(directory, path) : -errno;
}

// 0 or an errno.
int CheckDevice(int fd, dev_t wanted) {
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (syscall(SYS_statx, fd, "", kFlags, STATX_TYPE, &status) != 0) return errno;
  return makedev(status.stx_dev_major, status.stx_dev_minor) == wanted ? 0 : ESTALE;
}

[[noreturn]] void RunChild(const ApartPath& what, int socket_fd) {
  syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CloseAllBut(what.directory.get() >= 0 ? what.directory.get() : socket_fd, socket_fd);
  long fd = Open(what);
  int error = fd < 0 ? static_cast<int>(-fd) : CheckDevice(static_cast<int>(fd), what.device);
  SendOutcome(socket_fd, {.step = 0, .error = error}, error == 0 ? static_cast<int>(fd) : -1);
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

absl::StatusOr<OwnedFd> Fetch(const ApartPath& what, absl::Duration timeout) {
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
  if (pid == 0) RunChild(what, to_parent.get());
  // So that the child's end ends the wait.
  (void)to_parent.Close();
  absl::StatusOr<FetchResult> result = ReceiveOutcome(from_child, timeout, what.path);
  const auto child = static_cast<pid_t>(pid);
  if (base::ErrnoOf(result.status()) == ETIMEDOUT) {
    kill(child, SIGKILL);
    LeftBehind::Get().Add(child);
    return ErrnoStatus(ETIMEDOUT, "open", what.path);
  }
  // It is ending.
  while (waitpid(child, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  if (!result.ok()) return result.status();
  if (result->outcome.error != 0) return ErrnoStatus(result->outcome.error, "open", what.path);
  // A descriptor is missing where the caller may open no more.
  if (!result->fd.ok()) return ErrnoStatus(EMFILE, "open", what.path);
  return std::move(result->fd);
}

}  // namespace

int ChildrenLeftBehind() { return LeftBehind::Get().Count(); }

absl::StatusOr<OwnedFd> OpenApart(const ApartPath& what, absl::Duration timeout) {
  if (what.path.size() >= PATH_MAX) return ErrnoStatus(ENAMETOOLONG, "open", what.path);
  const int stuck = ChildrenLeftBehind();
  if (stuck >= kMaxLeftBehind) return ErrnoStatus(EBUSY, "open", what.path);
  return Fetch(what, std::max(timeout / (1 << stuck), std::min(timeout, kShortestWait)));
}

}  // namespace nsctl::procfsroot
