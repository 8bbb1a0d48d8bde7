// openat2(2): opening a path under rules that the kernel enforces while it walks.
//
// This is the system call alone. What to do where it is missing or forbidden, and how often to try
// again, is the business of procfsroot.

#ifndef NSCTL_BASE_OPENAT2_H_
#define NSCTL_BASE_OPENAT2_H_

// For the RESOLVE_* flags.
#include <linux/openat2.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::base {

// Opens `path` relative to `dir` with O_CLOEXEC added to `flags`; `resolve` are RESOLVE_* flags. A
// `mode` that is not 0 needs O_CREAT or O_TMPFILE. Nothing but the flags decides what is followed:
// magic links, symlinks and mounts are, unless RESOLVE_* forbids it.
//
// Errors: those of openat(2), and ENOSYS before Linux 5.6; EPERM where a seccomp filter forbids the
// call, which may begin after it worked once; ELOOP where a symlink or magic link was forbidden;
// EXDEV where a mount, "..", or an absolute link left what RESOLVE_* allows; EAGAIN where a rename
// or mount raced with ".." below RESOLVE_IN_ROOT or RESOLVE_BENEATH (try again), or under
// RESOLVE_CACHED; EINVAL or E2BIG for flags that the kernel does not know.
absl::StatusOr<OwnedFd> OpenAt2(FdRef dir, const std::string& path, uint64_t flags, uint64_t mode,
                                uint64_t resolve);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_OPENAT2_H_
