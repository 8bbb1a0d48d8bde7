// How a namespace was met, and so how it can be opened again: by a link of procfs, a descriptor of
// a process, a bind mount, or its handle.

#ifndef NSCTL_NSDISC_NAMESPACE_WAY_H_
#define NSCTL_NSDISC_NAMESPACE_WAY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

struct NamespaceWay {
  enum class Kind : uint8_t {
    // /proc/PID/ns or /proc/PID/task/TID/ns.
    kLink,
    // A descriptor that is open on the namespace.
    kFd,
    // A socket's, or a TUN/TAP control file's, descriptor: the network namespace it was made in.
    kSocket,
    kTun,
    // A chain of paths as in Namespace.reference, as bytes. Where `kernel_id` is given it begins in
    // the mount namespace with that id and `mount_namespace` for its inode.
    kPath,
    // By the kernel's id and the inode, the latter 0 where it is not known.
    kHandle,
  };
  Kind kind = Kind::kLink;
  // kLink, kFd, kSocket, kTun. `tid` is 0 for the process itself.
  pid_t pid = 0;
  pid_t tid = 0;
  // kLink: where its next children will be.
  bool for_children = false;
  // kFd, kSocket, kTun.
  int fd = -1;
  // kPath.
  std::vector<std::string> path = {};
  // kHandle and kPath.
  uint64_t kernel_id = 0;
  // kPath.
  uint32_t mount_namespace = 0;

  friend bool operator==(const NamespaceWay&, const NamespaceWay&) = default;
};

// A namespace as it was seen, without opening it. An inode of 0 stands for any.
using NamespaceTarget = base::NamespaceLink;

// The way that "/proc/7/ns/net" or "/proc/7/task/8/fd/9" stands for; nullopt for a path that does
// not lead through the procfs. These links are followed nowhere else.
std::optional<NamespaceWay> WayThroughProcfs(const procfsroot::Procfs& procfs,
                                             absl::string_view path, base::NamespaceType type);

// The directory of the process or thread that the way leads through; the error of whichever open
// failed.
absl::StatusOr<procfsroot::ProcessDir> OpenHolder(const procfsroot::Procfs& procfs,
                                                  const NamespaceWay& way);

// The entry of ns/ that a kLink of this type goes through: "net", "pid_for_children".
const char* LinkEntryOf(const NamespaceWay& way, base::NamespaceType type);

// What is at the way's end, if it is a namespace of the target's type. It may be another one than
// the target by now: the caller compares inodes. Opens nothing but files of namespaces, whatever a
// process has put where the namespace was seen, and waits for no server that a path leads through
// (namespace_file.h).
//
// Errors: ESRCH, ENOENT, EBADF where the holder or its descriptor is gone; EACCES, EPERM without
// the rights of ptrace(2) over the process (PTRACE_MODE_ATTACH for kSocket and kTun, beside
// CAP_NET_ADMIN in the namespace's owner); ESTALE where something else is there or a handle's
// namespace is gone; those of OpenNamespaceFileAt and OpenRootOf for kPath, of which ETIMEDOUT and
// EBUSY say that a file system on the way did not answer.
absl::StatusOr<base::OwnedFd> OpenWay(const procfsroot::Procfs& procfs, const NamespaceWay& way,
                                      const NamespaceTarget& target);

// The way as paths for Namespace.reference, not yet encoded; empty for those that have none.
std::vector<std::string> ReferenceOf(const procfsroot::Procfs& procfs, const NamespaceWay& way,
                                     base::NamespaceType type);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_WAY_H_
