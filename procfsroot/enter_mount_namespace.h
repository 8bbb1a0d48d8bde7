// The two ways to reach the root directory of a mount namespace without changing the caller's own.
//
// Only a task can be in a mount namespace, so one goes there, opens "/" and ends: a thread where
// that is allowed, else a child process that joins the owning user namespace first, which no
// process with more than one thread may do. What runs after the switch makes system calls and
// nothing more: no name service, locale, plugin or program of the other side is ever loaded.
//
// mount_namespace_root.h decides which way to take.

#ifndef NSCTL_PROCFSROOT_ENTER_MOUNT_NAMESPACE_H_
#define NSCTL_PROCFSROOT_ENTER_MOUNT_NAMESPACE_H_

#include <fcntl.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// What the task opens once it is there: its root, or for example its own mountinfo.
struct InsideFile {
  base::FdRef directory = base::FdRef(AT_FDCWD);
  const char* path = "/";
  int flags = O_PATH | O_DIRECTORY;
};

// Moves the calling thread, for good, into the mount namespace `mount_namespace` with a root and
// current directory of its own, and returns an O_PATH handle of its root, or `file` instead. To
// be called in a thread that ends right afterwards; other threads notice nothing.
//
// Errors: EPERM without CAP_SYS_ADMIN in the user namespace that owns it, and CAP_SYS_CHROOT and
// CAP_SYS_ADMIN in the caller's own; EINVAL where it is no mount namespace.
// Source: setns(2), unshare(2).
absl::StatusOr<base::OwnedFd> OpenRootByThisThread(base::FdRef mount_namespace,
                                                   const InsideFile& file = {});

// The same by a child process that joins `user_namespace` first. Blocks until the child was waited
// for; it is killed after `timeout` and when the calling thread ends. The child sends no SIGCHLD
// and is not seen by wait(2) elsewhere in the program.
//
// Errors: as above, of which EPERM also where `user_namespace` may not be joined; ETIMEDOUT.
// Source: user_namespaces(7), unix(7) for SCM_RIGHTS.
absl::StatusOr<base::OwnedFd> OpenRootByChild(base::FdRef mount_namespace,
                                              base::FdRef user_namespace, absl::Duration timeout,
                                              const InsideFile& file = {});

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_ENTER_MOUNT_NAMESPACE_H_
