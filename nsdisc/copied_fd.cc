#include "nsdisc/copied_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>

#include "base/errors.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::nsdisc {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// Documentation/admin-guide/devices.txt.
constexpr unsigned int kTunMajor = 10;
constexpr unsigned int kTunMinor = 200;

// Of file systems without a block device, which all remote ones are, and some harmless ones.
bool MayAskAServer(const struct statx& file) {
  return S_ISREG(file.stx_mode) && file.stx_dev_major == 0;
}

// Descriptors that this process had to leave open.
std::atomic<int>& LeftOpen() {
  static std::atomic<int> count = 0;
  return count;
}

template <typename Check>
absl::StatusOr<OwnedFd> Copy(FdRef pidfd, int fd, const Check& is_wanted) {
  if (LeftOpen() >= kMaxLeftOpen) return ErrnoStatus(EMFILE, "pidfd_getfd", pidfd.path());
  NSCTL_ASSIGN_OR_RETURN(OwnedFd copy, base::CopyFdFrom(pidfd, fd));
  struct statx file;
  // As looked up: no server is asked.
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (statx(copy.get(), "", kFlags, STATX_TYPE | STATX_INO, &file) != 0) {
    // So do FUSE file systems of other users.
    const int error = errno;
    LeaveOpen(std::move(copy));
    return ErrnoStatus(error, "statx", pidfd.path());
  }
  if (is_wanted(file)) return copy;
  // Files of namespaces look like a server's, and kept open they would keep their namespaces.
  if (MayAskAServer(file) && !procfsroot::IsNamespaceFile(copy)) LeaveOpen(std::move(copy));
  return ErrnoStatus(ESTALE, "pidfd_getfd", pidfd.path());
}

// The child that keeps them. In memory that both share.
struct Kept {
  static constexpr size_t kMax = kMaxLeftOpen;
  std::atomic<size_t> size;
  std::atomic<unsigned int> fds[kMax];
};

void CloseRange(unsigned int first, unsigned int last) {
  if (first <= last) syscall(SYS_close_range, first, last, 0);
}

// Waits for the end of the parent, and closes what it had open: what may block comes last, so that
// nobody waits for the end of anything else. System calls alone.
[[noreturn]] void Keep(Kept* kept, pid_t parent) {
  syscall(SYS_prctl, PR_SET_NAME, kKeeperName, 0, 0, 0);
  // No signal but SIGKILL, and none of the terminal's.
  const uint64_t all = ~uint64_t{0};
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
  syscall(SYS_setsid);
  const long pidfd = syscall(SYS_pidfd_open, parent, 0);
  if (pidfd >= 0 && syscall(SYS_getppid) == parent) {
    struct pollfd end = {.fd = static_cast<int>(pidfd), .events = POLLIN, .revents = 0};
    syscall(SYS_ppoll, &end, 1, nullptr, nullptr, 0);
  }
  unsigned int fds[Kept::kMax];
  const size_t size = std::min(kept->size.load(), Kept::kMax);
  for (size_t i = 0; i < size; ++i) fds[i] = kept->fds[i];
  std::sort(fds, fds + size);
  unsigned int next = 0;
  for (size_t i = 0; i < size; ++i) {
    if (fds[i] > 0) CloseRange(next, fds[i] - 1);
    next = fds[i] + 1;
  }
  CloseRange(next, ~0U);
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

// nullptr where there is no child.
Kept* StartKeeper() {
  void* const memory =
      mmap(nullptr, sizeof(Kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  Kept* const kept = new (memory) Kept{};
  const pid_t parent = getpid();
  const long pid = syscall(SYS_clone, CLONE_FILES, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) Keep(kept, parent);
  return pid < 0 ? nullptr : kept;
}

}  // namespace

void LeaveOpen(OwnedFd fd) {
  static std::mutex mutex;
  static pid_t owner = 0;
  static Kept* kept = nullptr;
  const std::lock_guard lock(mutex);
  // A child of this process has descriptors of its own.
  if (owner != getpid()) kept = StartKeeper();
  owner = getpid();
  const auto number = static_cast<unsigned int>(fd.Release());
  ++LeftOpen();
  if (kept == nullptr || kept->size == Kept::kMax) return;
  kept->fds[kept->size] = number;
  ++kept->size;
}

absl::StatusOr<OwnedFd> CopySocket(FdRef pidfd, int fd, uint64_t inode) {
  return Copy(pidfd, fd, [inode](const struct statx& file) {
    return S_ISSOCK(file.stx_mode) && (inode == 0 || file.stx_ino == inode);
  });
}

absl::StatusOr<OwnedFd> CopyTun(FdRef pidfd, int fd) {
  return Copy(pidfd, fd, [](const struct statx& file) {
    return S_ISCHR(file.stx_mode) && file.stx_rdev_major == kTunMajor &&
           file.stx_rdev_minor == kTunMinor;
  });
}

}  // namespace nsctl::nsdisc
