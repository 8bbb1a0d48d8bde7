// Files of namespaces (nsfs): whether a handle is one, and how one is opened wherever it is
// mounted, without asking the server of any file system for anything in this process.

#ifndef NSCTL_PROCFSROOT_NAMESPACE_FILE_H_
#define NSCTL_PROCFSROOT_NAMESPACE_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// True where `handle` (O_PATH or open) is the file of a namespace: the kernel has one file system
// of these, so its device tells. Unlike fstatfs(2), which a FUSE server is asked about, this asks
// nobody. Source: statx(2), AT_STATX_DONT_SYNC.
bool IsNamespaceFile(base::FdRef handle);

// Opens for ioctls what `handle` is. Errors: ESTALE where it is no namespace, which is not opened:
// that might block, or do whatever a driver does.
absl::StatusOr<base::OwnedFd> ReopenNamespaceFile(base::FdRef handle);

enum class PathLinks {
  // No link is followed: for the kernel's own word of where something is mounted.
  kRefused,
  // As by open(2), those of procfs too: for paths that users type.
  kFollowed,
};

// How long a file system may take on its way to a namespace.
inline constexpr absl::Duration kNamespaceFilePatience = absl::Seconds(2);

// Opens for ioctls the namespace whose file is mounted at `path`, below `directory` (kRefused) or
// the caller's own root (AT_FDCWD). What the kernel's caches do not answer is looked up apart
// (open_apart.h), so that this returns, and the process can end, whatever the path leads through.
//
// Errors: those of OpenApart; ESTALE where something else is there.
absl::StatusOr<base::OwnedFd> OpenNamespaceFileAt(base::FdRef directory, const std::string& path,
                                                  PathLinks links,
                                                  absl::Duration timeout = kNamespaceFilePatience);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_NAMESPACE_FILE_H_
