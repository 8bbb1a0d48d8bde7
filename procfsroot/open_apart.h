// Opens what a path leads to in a process that can be left behind.
//
// A path may lead through a file system whose server took the request and says nothing. Who waits
// for a FUSE server then cannot be killed, thread or process, and no process ends before its
// threads. So somebody else walks the path: a child that has nothing of the caller open but what it
// needs, sends a handle and ends; or does not, and nobody waits for it.
//
// Paths of namespaces' files, which the kernel's caches answer for as a rule, are opened by
// namespace_file.h; this is for what is left.

#ifndef NSCTL_PROCFSROOT_OPEN_APART_H_
#define NSCTL_PROCFSROOT_OPEN_APART_H_

#include <fcntl.h>
#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

struct ApartPath {
  // Where `path` begins: a directory, which it does not leave, or the caller's own root.
  base::FdRef directory = base::FdRef(AT_FDCWD);
  std::string path = "";
  // Links are followed as by open(2). False: a path that holds one is refused (ELOOP, ENOTDIR), as
  // is one that goes up ("..", EXDEV or EINVAL). True only without `directory`.
  bool follow_links = false;
  // What is there must be on this device.
  dev_t device = 0;
  // Walk as where openat2(2) is missing: for tests.
  bool without_openat2 = false;
};

// So many children may be stuck before nobody is sent any more.
inline constexpr int kMaxLeftBehind = 16;

// How many are stuck, as far as known.
int ChildrenLeftBehind();

// A handle (O_PATH). Whoever owns a tree chooses how many of its file systems are silent, so while
// others are stuck each further one is waited for half as long as the one before, but no less than
// a tenth of a second: all of them together for twice `timeout` and a little more.
//
// Errors: those of openat2(2); ESTALE where something of another device is there; ETIMEDOUT where
// there was no answer; EBUSY where too many are stuck; those of fork(2) and socketpair(2).
// To be called in a process with or without threads. The child sends no SIGCHLD and is not seen by
// wait(2) elsewhere in the program.
absl::StatusOr<base::OwnedFd> OpenApart(const ApartPath& what, absl::Duration timeout);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_OPEN_APART_H_
