// Names for namespaces that can be stored and opened again, and that keep nothing alive.
//
// A handle is what name_to_handle_at(2) says of an nsfs file (Linux 6.18). It stays valid while the
// namespace exists, and is never dealt again while the kernel runs.

#ifndef NSCTL_BASE_NSFS_HANDLE_H_
#define NSCTL_BASE_NSFS_HANDLE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::base {

struct NamespaceHandle {
  // As KernelIdOf (nsfs.h).
  uint64_t kernel_id = 0;
  // Linux 6.18 wants all three to agree. From 6.19 on the id alone will do: no type and inode 0
  // mean any.
  std::optional<NamespaceType> type;
  uint32_t inode = 0;

  friend bool operator==(const NamespaceHandle&, const NamespaceHandle&) = default;
};

// The handle of the namespace that `ns` is open on.
// Errors: EOPNOTSUPP before Linux 6.18; INVALID_ARGUMENT or EOVERFLOW where `ns` is no namespace.
absl::StatusOr<NamespaceHandle> HandleOf(FdRef ns);

// Opens the namespace, whether or not a process is in it.
// Errors: ESTALE where it is gone, or never was, or the handle's parts do not agree; EPERM where
// the caller may not see it (its own it always may); EBADF before Linux 6.18.
// Source: fs/nsfs.c (nsfs_fh_to_dentry).
absl::StatusOr<OwnedFd> OpenByHandle(const NamespaceHandle& handle);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_NSFS_HANDLE_H_
