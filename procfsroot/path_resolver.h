// Resolves a path inside another root the way the kernel would if that root were "/", to a
// descriptor and never to a string: absolute links start at the root, ".." ends at it, and whoever
// controls the tree cannot lead the walk outside, however fast he renames.
//
// A handle is the result: a descriptor opened with O_PATH, which names the file without opening it.
// root.h makes more of it (reading, listing, connecting) and keeps walks that hang away from the
// caller.

#ifndef NSCTL_PROCFSROOT_PATH_RESOLVER_H_
#define NSCTL_PROCFSROOT_PATH_RESOLVER_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {

// Resolves `path`, relative to `root` with or without a leading slash, to an O_PATH handle. `root`
// is a handle of a directory. Symlinks are followed, the last one as options.follow_last says;
// mounts are crossed unless options.same_mount; magic links (/proc/PID/exe, /proc/PID/fd/3) never
// are. What would be reached by "self" or "thread-self" of a procfs, and on that procfs, is refused
// as they are unless options.may_be_reader: these links are about whoever reads them, this process.
// So is what that procfs has of this process by its number. Bytes of `path` are arbitrary but for
// NUL.
//
// May block where a file system on the way does (a FUSE or network file system whose server is
// silent). Under Backend::kAuto and kWalker no automount is started.
//
// Errors: those of openat(2), each naming the component of `path` that it happened at. ENOENT: also
// for the empty path. ELOOP: more than 40 links, a magic link, this process's files of a procfs, or
// a nosymfollow mount. EXDEV: a
// mount was to be crossed under same_mount. EREMOTE: the walk leads through an automount that
// nothing is mounted on. EAGAIN: renames or mounts disturbed every attempt. INVALID_ARGUMENT: NUL
// in `path`. Races: whatever is renamed meanwhile, the result was below the root at some time
// during the call. Source: openat2(2), path_resolution(7).
absl::StatusOr<base::OwnedFd> Resolve(base::FdRef root, absl::string_view path,
                                      const ResolveOptions& options = {});

// The part of Resolve that cannot block: gives an answer only where the kernel has one in its
// caches and no mount is crossed; nullopt where Resolve must be asked. Also nullopt where openat2
// is missing or forbidden (Linux 5.12 is needed), and for backends other than kAuto. On network
// file systems whose root directory is revalidated at each use (NFS, 9P, SMB, AFS) it can block
// after all where the result is `root` itself.
std::optional<absl::StatusOr<base::OwnedFd>> ResolveCached(base::FdRef root, absl::string_view path,
                                                           const ResolveOptions& options = {});

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PATH_RESOLVER_H_
