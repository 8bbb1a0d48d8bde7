#include "nsentry/namespace_reference.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceType;
using base::OwnedFd;

// A FIFO must not block, and a terminal must not become the caller's.
constexpr int kReferenceFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

std::string Shown(const std::string& origin) {
  return base::TerminalText(base::EncodeText(origin));
}

absl::StatusOr<OwnedFd> OpenPath(const std::string& path) {
  return base::OpenAt(base::FdRef(AT_FDCWD), path, kReferenceFlags);
}

}  // namespace

absl::StatusOr<NamespaceReference> IdentifyNamespace(OwnedFd fd, std::string origin) {
  const absl::StatusOr<NamespaceType> type = base::NamespaceTypeOf(fd);
  if (!type.ok()) {
    if (!base::IsUnsupported(type.status())) return type.status();
    return absl::InvalidArgumentError(absl::StrCat(Shown(origin), " is no namespace"));
  }
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  return NamespaceReference{*type, id, std::move(fd), std::move(origin)};
}

absl::StatusOr<NamespaceReference> IdentifyNamespace(OwnedFd fd, NamespaceType type,
                                                     std::string origin) {
  NSCTL_ASSIGN_OR_RETURN(NamespaceReference reference,
                         IdentifyNamespace(std::move(fd), std::move(origin)));
  if (reference.type == type) return reference;
  return absl::InvalidArgumentError(absl::StrCat(
      Shown(reference.origin), " is ", base::NamespaceLinkText(reference.type, reference.id.inode),
      ", not a ", base::InfoOf(type).name, " namespace"));
}

absl::StatusOr<NamespaceReference> OpenNamespaceAt(const std::string& path, NamespaceType type) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenPath(path));
  return IdentifyNamespace(std::move(fd), type, path);
}

absl::StatusOr<NamespaceReference> OpenNamespaceAt(const std::string& path) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenPath(path));
  return IdentifyNamespace(std::move(fd), path);
}

absl::StatusOr<NamespaceReference> OpenNamespaceOf(const procfsroot::GuardedProcess& process,
                                                   NamespaceType type) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, process.directory().OpenNamespace(base::InfoOf(type).name));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  return NamespaceReference{type, id, std::move(fd), absl::StrCat("process ", process.pid().value)};
}

absl::StatusOr<NamespaceReference> OpenNetworkNamespaceOfSocket(
    const procfsroot::GuardedProcess& process, int socket) {
  const std::string origin = absl::StrCat("socket ", socket, " of process ", process.pid().value);
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd copy, base::CopyFdFrom(process.pidfd(), socket));
  const int fd = ioctl(copy.get(), SIOCGSKNS);
  if (fd < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "ioctl SIOCGSKNS", origin);
  }
  return IdentifyNamespace(OwnedFd(fd, origin), NamespaceType::kNet, origin);
}

absl::StatusOr<NamespaceReference> OpenOwnerOf(const NamespaceReference& reference) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, base::OpenOwner(reference.fd));
  return IdentifyNamespace(
      std::move(fd), NamespaceType::kUser,
      absl::StrCat("owner of ", base::NamespaceLinkText(reference.type, reference.id.inode)));
}

}  // namespace nsctl::nsentry
