// What only a copy of another process's descriptor tells: the network namespace of a socket.

#ifndef NSCTL_NSDISC_FOREIGN_FDS_H_
#define NSCTL_NSDISC_FOREIGN_FDS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsdisc/lineage.h"

namespace nsctl::nsdisc {

// The descriptors of one process, or of one thread with a table of its own. Not thread-safe.
class ForeignFds {
 public:
  virtual ~ForeignFds() = default;

  // The cookie of the network namespace that the socket with the inode `socket` was made in, which
  // is open as `fd`. The same number for the same namespace; on Linux 6.18 and later the one of
  // NS_GET_ID. Errors: ESTALE where something else is open there by now, EBADF where nothing is;
  // EPERM without PTRACE_MODE_ATTACH; ENOPROTOOPT before Linux 5.14. Four system calls.
  // Source: SO_NETNS_COOKIE (socket(7)), pidfd_getfd(2).
  virtual Answer<uint64_t> CookieOfSocket(int fd, uint64_t socket) = 0;

  // The namespace itself. EPERM also without CAP_NET_ADMIN in its owner. Source: SIOCGSKNS.
  virtual Answer<base::NamespaceId> NamespaceOfSocket(int fd, uint64_t socket) = 0;

  // The network namespace that the TUN/TAP control file `fd` was opened in, which it keeps alive
  // wherever its device went. ESTALE where `fd` is something else. Errors as before.
  virtual Answer<base::NamespaceId> NamespaceOfTun(int fd) = 0;
};

// Gives access to the descriptors of processes. Thread-safe.
class ForeignFdAccess {
 public:
  virtual ~ForeignFdAccess() = default;

  // Errors: ESRCH where the process is gone; ENOSYS before Linux 5.6.
  virtual absl::StatusOr<std::unique_ptr<ForeignFds>> Of(pid_t pid, pid_t tid) = 0;
};

// Copies descriptors by pidfd_getfd(2): the running kernel, numbers of the caller's PID namespace.
// Threads need Linux 6.9; before, EINVAL.
class KernelForeignFds : public ForeignFdAccess {
 public:
  absl::StatusOr<std::unique_ptr<ForeignFds>> Of(pid_t pid, pid_t tid) override;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_FOREIGN_FDS_H_
