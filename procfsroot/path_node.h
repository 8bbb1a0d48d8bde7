// A file that a path walk has reached, and what the kernel would ask of it before it goes on.

#ifndef NSCTL_PROCFSROOT_PATH_NODE_H_
#define NSCTL_PROCFSROOT_PATH_NODE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// Unlike a path, the same file whoever renames what.
struct FileIdentity {
  dev_t device = 0;
  uint64_t inode = 0;
  // 0 before Linux 5.8.
  uint64_t mount = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

struct PathNode {
  // Opened with O_PATH.
  base::OwnedFd fd;
  FileIdentity identity;
  uint16_t mode = 0;
  uid_t uid = 0;
  uint64_t size = 0;
  // Of its mount: struct statfs's f_type, and whether symlinks may be followed on it.
  long filesystem = 0;
  bool follows_symlinks = true;

  bool IsOnMountOf(const PathNode& other) const {
    return identity.mount == other.identity.mount && identity.device == other.identity.device;
  }
};

// Fills in what is behind `node->fd`, all but the last two fields, by what lookup told: no server
// is asked. Returns 0 or an errno, EACCES from file systems that answer their owner alone.
int IdentifyFile(PathNode* node);

// Fills in the last two fields. What cannot answer is no autofs and no procfs. May block.
void IdentifyMount(PathNode* node);

// Whether `fd` may be on a procfs, by what lookup told. Never false for a file that is on one: asks
// nobody, and so takes some others for one.
bool MayBeOnProcfs(base::FdRef fd);

// Whether `directory` is the root directory of a procfs. Of a descriptor: may block.
bool IsProcfsRoot(const PathNode& directory);
bool IsProcfsRoot(base::FdRef directory);

// True where `link`, found in `directory`, is "self" or "thread-self" of a procfs, whose text is
// about whoever reads it.
bool IsReaderLink(const PathNode& link, const PathNode& directory);

// Whether the directory `name` of `procfs`, the root directory of one, is that of this process or
// of a thread of it, whatever their numbers are there. To be asked after that directory was opened:
// a number may be dealt again.
bool IsOwnProcess(base::FdRef procfs, const std::string& name);

// True where `link`, found in `directory`, is a magic link: one whose `text` is no path, because
// the kernel jumps to the file itself.
bool IsMagicLink(const PathNode& link, const PathNode& directory, absl::string_view text);

// True where fs.protected_symlinks (proc_sys_fs(5)) lets this process follow `link` in `directory`
// at the end of a path.
bool MayFollowLast(const PathNode& link, const PathNode& directory);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PATH_NODE_H_
