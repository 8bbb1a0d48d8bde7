// Namespaces that are open and known by number, before anybody enters them.
//
// A reference keeps its namespace alive, and what is entered later is what was identified, whatever
// becomes of the process or path that it was found at.

#ifndef NSCTL_NSENTRY_NAMESPACE_REFERENCE_H_
#define NSCTL_NSENTRY_NAMESPACE_REFERENCE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsentry {

struct NamespaceReference {
  base::NamespaceType type;
  base::NamespaceId id;
  base::OwnedFd fd;
  // Where it was found, for people: "process 1234", "/run/netns/x".
  std::string origin;
};

// Takes an open nsfs file of whatever kind. Errors: INVALID_ARGUMENT where it is no namespace.
absl::StatusOr<NamespaceReference> IdentifyNamespace(base::OwnedFd fd, std::string origin);

// As above. INVALID_ARGUMENT also where it is a namespace of another type.
absl::StatusOr<NamespaceReference> IdentifyNamespace(base::OwnedFd fd, base::NamespaceType type,
                                                     std::string origin);

// The namespace that `path` of the caller's own root leads to: a bind mount or a link of procfs.
// Errors: those of open(2), and above. A FIFO does not block.
absl::StatusOr<NamespaceReference> OpenNamespaceAt(const std::string& path,
                                                   base::NamespaceType type);
// The same, of whatever type.
absl::StatusOr<NamespaceReference> OpenNamespaceAt(const std::string& path);

// The process's own namespace. Errors: EACCES without PTRACE_MODE_READ_FSCREDS; ESRCH or ENOENT
// once it is gone; ENOENT for what a zombie has left and for types that the kernel does not have.
absl::StatusOr<NamespaceReference> OpenNamespaceOf(const procfsroot::GuardedProcess& process,
                                                   base::NamespaceType type);

// The network namespace of the socket that the process has open as descriptor `socket`, which may
// be another one than the process's own; a TUN file serves as well. The process needs its pidfd.
// Errors: EBADF where it has no such descriptor; EPERM without PTRACE_MODE_ATTACH, or CAP_NET_ADMIN
// in the user namespace that owns the namespace; ENOTTY where it is no socket.
// Source: pidfd_getfd(2), SIOCGSKNS (net/socket.c).
absl::StatusOr<NamespaceReference> OpenNetworkNamespaceOfSocket(
    const procfsroot::GuardedProcess& process, int socket);

// The user namespace that owns `reference`; for a user namespace its parent.
// Errors: EPERM where that is outside of the caller's own user namespace.
absl::StatusOr<NamespaceReference> OpenOwnerOf(const NamespaceReference& reference);

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_NAMESPACE_REFERENCE_H_
