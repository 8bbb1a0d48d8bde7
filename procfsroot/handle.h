// What can be done with a handle: a descriptor opened with O_PATH, which names a file and does
// nothing else. All of it goes through the descriptor, never through a path again, so the file that
// was looked at is the file that is used.
//
// These functions touch the file system that the handle is on and block as long as that does; Root
// (root.h) puts a deadline around them.

#ifndef NSCTL_PROCFSROOT_HANDLE_H_
#define NSCTL_PROCFSROOT_HANDLE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// What lookup told of the file, without asking a server again; no time of birth. stx_mask says
// which fields hold. Errors: EACCES from file systems that answer their owner alone. Source:
// statx(2).
absl::StatusOr<struct statx> LookedUpStat(base::FdRef handle);

// All that statx(2) tells, up to date; starts no automount.
absl::StatusOr<struct statx> FreshStat(base::FdRef handle);

// Whether both are on the same mount (before Linux 5.8: device) and the same file there, by what
// lookup told. False where one does not tell.
bool IsSameFile(base::FdRef a, base::FdRef b);

// This process's own descriptors as procfs shows them: the way from a handle to an open file.
class SelfFds {
 public:
  // Errors: those of Procfs::Live.
  static absl::StatusOr<SelfFds> Open();

  // Opens the file anew with `flags` (O_CLOEXEC, O_NONBLOCK and O_NOCTTY are added).
  // Errors: those of open(2); ENXIO for a socket.
  absl::StatusOr<base::OwnedFd> Reopen(base::FdRef handle, int flags) const;

  // Where the kernel says the file is: seen from the root of the handle's mount namespace, and with
  // " (deleted)" behind it where it was removed. For display alone.
  absl::StatusOr<std::string> PathOf(base::FdRef handle) const;

  // Connects to the socket file `handle` through its descriptor, so that neither the length of its
  // path matters nor who replaces it. `type` is SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM. The
  // result does not block. Errors: those of connect(2), ECONNREFUSED where nobody listens among
  // them; EAGAIN where the listener's queue was full for all of `timeout`.
  absl::StatusOr<base::OwnedFd> Connect(base::FdRef handle, int type, absl::Duration timeout) const;

  // Has `inotify` tell of `events` at the file `handle` (inotify(7)). Errors: those of
  // inotify_add_watch(2): ENOSPC where the user has as many watches as he may have.
  absl::Status AddWatch(base::FdRef inotify, base::FdRef handle, uint32_t events) const;

 private:
  explicit SelfFds(base::OwnedFd directory) : directory_(std::move(directory)) {}

  base::OwnedFd directory_;
};

// The text of the symlink `handle`. Errors: EINVAL where it is none.
absl::StatusOr<std::string> ReadLinkText(base::FdRef handle);

// An entry of a directory as the directory has it: links not followed, mounts on it not seen.
struct DirectoryEntry {
  // Bytes, without slash and NUL.
  std::string name;
  // S_IFMT bits as in st_mode; 0 where neither the directory nor the file tells.
  mode_t type = 0;
  uint64_t inode = 0;

  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

// Opens the directory `handle` for listing. Errors: ENOTDIR; EREMOTE for an automount that nothing
// is mounted on.
absl::StatusOr<base::OwnedFd> OpenDirectory(base::FdRef handle);

// The entries of the directory `handle`, "." and ".." left out, ordered by the bytes of their
// names. Errors: ENOTDIR; EREMOTE for an automount that nothing is mounted on; RESOURCE_EXHAUSTED
// for more than `max_entries`. Races: entries made or removed meanwhile may or may not be there.
absl::StatusOr<std::vector<DirectoryEntry>> ListDirectory(base::FdRef handle, size_t max_entries);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_HANDLE_H_
