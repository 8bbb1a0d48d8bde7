#include "nsdisc/foreign_fds.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/nsfs.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "nsdisc/copied_fd.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceId;
using base::OwnedFd;

template <typename T>
Answer<T> Refusal(int error) {
  return {.value = std::nullopt, .error = error != 0 ? error : EIO};
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
    const absl::StatusOr<OwnedFd> copy = CopySocket(pidfd_, fd, socket);
    if (!copy.ok()) return Refusal<uint64_t>(base::ErrnoOf(copy.status()));
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);
    if (getsockopt(copy->get(), SOL_SOCKET, base::abi::kSoNetnsCookie, &cookie, &size) != 0) {
      return Refusal<uint64_t>(errno);
    }
    return {.value = cookie, .error = 0};
  }

  Answer<NamespaceId> NamespaceOfSocket(int fd, uint64_t socket) override {
    return AskForNamespaceOf(CopySocket(pidfd_, fd, socket));
  }

  Answer<NamespaceId> NamespaceOfTun(int fd) override {
    return AskForNamespaceOf(CopyTun(pidfd_, fd));
  }

 private:
  static Answer<NamespaceId> AskForNamespaceOf(const absl::StatusOr<OwnedFd>& copy) {
    if (!copy.ok()) return Refusal<NamespaceId>(base::ErrnoOf(copy.status()));
    return AskForNamespace(*copy);
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
