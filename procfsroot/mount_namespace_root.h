// The root directory of any mount namespace, in which a process may or may not be: of a process, of
// an open namespace, of one that is bind-mounted at a path, of one that is bind-mounted inside of
// another that is itself only bind-mounted.
//
//   // No process is in it: a bind mount keeps it alive.
//   NSCTL_ASSIGN_OR_RETURN(const MountNamespaceRoot there,
//                          MountNamespaceRoot::OfChain({"/run/snapd/ns/lxd.mnt"}));
//   NSCTL_ASSIGN_OR_RETURN(std::string text, there.root().ReadFile("/etc/hostname", 4096));
//
// Nothing of the caller moves: a thread or a child goes there, fetches a handle and ends
// (enter_mount_namespace.h). For a process, Root::OfProcess is cheaper and needs less; it differs
// where the process has changed its root.

#ifndef NSCTL_PROCFSROOT_MOUNT_NAMESPACE_ROOT_H_
#define NSCTL_PROCFSROOT_MOUNT_NAMESPACE_ROOT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::procfsroot {

struct MountNamespaceOptions {
  // For the walks and for each entry. A namespace is entered in a thread of its own even with
  // root.run_inline.
  RootOptions root = {};
  // Who goes: for tests.
  enum class Entry { kAuto, kThread, kChild };
  Entry entry = Entry::kAuto;
};

class MountNamespaceRoot {
 public:
  // Of the namespace that is open as `mount_namespace`. Errors of all of these: EPERM without
  // CAP_SYS_ADMIN in the user namespace that owns it (its creator has it there, without any
  // capability of his own); EINVAL where it is a namespace of another type; DEADLINE_EXCEEDED,
  // UNAVAILABLE (bounded_call.h).
  static absl::StatusOr<MountNamespaceRoot> OfNamespace(base::OwnedFd mount_namespace,
                                                        MountNamespaceOptions options = {});

  // Of the namespace of a process; `pidfd_inode` and errors as for Root::OfProcess.
  static absl::StatusOr<MountNamespaceRoot> OfProcess(
      const Procfs& procfs, base::Pid pid, std::optional<uint64_t> pidfd_inode = std::nullopt,
      MountNamespaceOptions options = {});

  // Of the namespace at the end of `references`: the first is a path of the caller's, each further
  // one a path in the namespace before it. Each leads to a file of a mount namespace: a bind mount
  // of one, or a link of procfs to one, /proc/PID/ns/mnt or /proc/PID/fd/N (the namespace that is
  // open there, not that of PID). Links of procfs are followed at the end of a path alone.
  //
  // Errors: those of Resolve (path_resolver.h); EINVAL where a path leads to something else;
  // INVALID_ARGUMENT for no reference.
  static absl::StatusOr<MountNamespaceRoot> OfChain(absl::Span<const std::string> references,
                                                    MountNamespaceOptions options = {});

  const Root& root() const { return root_; }

  // The namespace itself, open for ioctls. It keeps the namespace's mounts together as long as this
  // object, or one moved from it, is there; a handle alone would keep only its own mount.
  base::FdRef mount_namespace() const { return *namespace_; }

 private:
  MountNamespaceRoot(std::shared_ptr<const base::OwnedFd> mount_namespace, Root root)
      : namespace_(std::move(mount_namespace)), root_(std::move(root)) {}

  // Shared with calls that were abandoned.
  std::shared_ptr<const base::OwnedFd> namespace_;
  Root root_;
};

// An O_PATH handle of the root directory of the namespace that is open as `mount_namespace`, of
// which nothing is asked: for those who look for one thing there and need no Root. Errors: those of
// MountNamespaceRoot::OfNamespace.
absl::StatusOr<base::OwnedFd> OpenRootOf(base::FdRef mount_namespace,
                                         MountNamespaceOptions options = {});

// The text of the mountinfo of the namespace that is open as `mount_namespace`, as one sees it that
// stands at the namespace's root: a thread or child goes there and opens its own below `procfs`, a
// procfs of the running kernel. For namespaces that no process is in.
//
// Errors: those of MountNamespaceRoot::OfNamespace; ENOENT where `procfs` does not show this
// process; RESOURCE_EXHAUSTED past `limit` bytes.
absl::StatusOr<std::string> ReadMountinfoInside(const Procfs& procfs, base::FdRef mount_namespace,
                                                size_t limit, MountNamespaceOptions options = {});

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_MOUNT_NAMESPACE_ROOT_H_
