#include "nsdisc/foreign_fds.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <utility>

#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/nsfs.h"
#include "base/pidfd.h"
#include "base/status_macros.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;
using base::OwnedFd;

// Documentation/admin-guide/devices.txt.
constexpr unsigned int kTunMajor = 10;
constexpr unsigned int kTunMinor = 200;

template <typename T>
Answer<T> Refusal(int error) {
  return {.value = std::nullopt, .error = error != 0 ? error : EIO};
}

bool IsSocket(const struct stat& file, uint64_t inode) {
  return S_ISSOCK(file.st_mode) && file.st_ino == inode;
}

bool IsTun(const struct stat& file) {
  return S_ISCHR(file.st_mode) && file.st_rdev == makedev(kTunMajor, kTunMinor);
}

Answer<NamespaceId> AskForNamespace(const OwnedFd& file) {
  const OwnedFd ns(ioctl(file.get(), SIOCGSKNS));
  if (!ns.ok()) return Refusal<NamespaceId>(errno);
  const absl::StatusOr<NamespaceId> id = base::NamespaceIdOf(ns);
  if (!id.ok()) return Refusal<NamespaceId>(base::ErrnoOf(id.status()));
  return {.value = *id, .error = 0};
}

class CopiedFds : public ForeignFds {
 public:
  explicit CopiedFds(OwnedFd pidfd) : pidfd_(std::move(pidfd)) {}

  Answer<uint64_t> CookieOfSocket(int fd, uint64_t socket) override {
    OwnedFd copy;
    const int error = Copy(
        fd, [&](const struct stat& file) { return IsSocket(file, socket); }, &copy);
    if (error != 0) return Refusal<uint64_t>(error);
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);
    if (getsockopt(copy.get(), SOL_SOCKET, base::abi::kSoNetnsCookie, &cookie, &size) != 0) {
      return Refusal<uint64_t>(errno);
    }
    return {.value = cookie, .error = 0};
  }

  Answer<NamespaceId> NamespaceOfSocket(int fd, uint64_t socket) override {
    OwnedFd copy;
    const int error = Copy(
        fd, [&](const struct stat& file) { return IsSocket(file, socket); }, &copy);
    return error != 0 ? Refusal<NamespaceId>(error) : AskForNamespace(copy);
  }

  Answer<NamespaceId> NamespaceOfTun(int fd) override {
    OwnedFd copy;
    const int error = Copy(fd, IsTun, &copy);
    return error != 0 ? Refusal<NamespaceId>(error) : AskForNamespace(copy);
  }

 private:
  // A number may mean another file, or another process's, by now: the copy is looked at.
  template <typename Check>
  int Copy(int fd, const Check& is_wanted, OwnedFd* copy) {
    absl::StatusOr<OwnedFd> copied = base::CopyFdFrom(pidfd_, fd);
    if (!copied.ok()) return base::ErrnoOf(copied.status());
    struct stat file = {};
    if (fstat(copied->get(), &file) != 0) return errno;
    if (!is_wanted(file)) return ESTALE;
    *copy = *std::move(copied);
    return 0;
  }

  OwnedFd pidfd_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ForeignFds>> KernelForeignFds::Of(pid_t pid, pid_t tid) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd pidfd,
                         tid != 0 ? base::OpenThreadPidfd({tid}) : base::OpenPidfd({pid}));
  return std::make_unique<CopiedFds>(std::move(pidfd));
}

}  // namespace nsctl::nsdisc
