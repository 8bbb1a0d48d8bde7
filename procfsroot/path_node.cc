#include "procfsroot/path_node.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {
namespace {

// PROC_ROOT_INO of include/linux/proc_fs.h.
constexpr uint64_t kProcRootInode = 1;
// s_blocksize of proc_fill_super() in the kernel's fs/proc/root.c.
constexpr uint32_t kProcBlockSize = 1024;
// ST_NOSYMFOLLOW of include/linux/statfs.h (Linux 5.10).
constexpr long kNoSymfollow = 0x2000;

// In force where it cannot be read.
bool SymlinksAreProtected() {
  const absl::StatusOr<Procfs> procfs = Procfs::Live();
  if (!procfs.ok()) return true;
  const absl::StatusOr<std::string> value = procfs->ReadFile("sys/fs/protected_symlinks", 16);
  return !value.ok() || *value != "0\n";
}

}  // namespace

int IdentifyFile(PathNode* node) {
  struct statx status;
  constexpr unsigned int kMask =
      STATX_TYPE | STATX_MODE | STATX_UID | STATX_INO | STATX_SIZE | STATX_MNT_ID;
  if (statx(node->fd.get(), "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, kMask,
            &status) != 0) {
    return errno;
  }
  node->identity.device = makedev(status.stx_dev_major, status.stx_dev_minor);
  node->identity.inode = status.stx_ino;
  node->identity.mount = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
  node->mode = status.stx_mode;
  node->uid = status.stx_uid;
  node->size = status.stx_size;
  return 0;
}

void IdentifyMount(PathNode* node) {
  struct statfs filesystem;
  if (fstatfs(node->fd.get(), &filesystem) != 0) return;
  node->filesystem = filesystem.f_type;
  node->follows_symlinks = (filesystem.f_flags & kNoSymfollow) == 0;
}

bool MayBeOnProcfs(base::FdRef fd) {
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  // Not fstatfs(2), which a FUSE server has to answer.
  if (statx(fd.get(), "", kFlags, STATX_TYPE, &status) != 0) return true;
  return status.stx_dev_major == 0 && status.stx_blksize == kProcBlockSize;
}

bool IsProcfsRoot(const PathNode& directory) {
  return directory.filesystem == PROC_SUPER_MAGIC && directory.identity.inode == kProcRootInode;
}

bool IsProcfsRoot(base::FdRef directory) {
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (statx(directory.get(), "", kFlags, STATX_INO, &status) != 0) return false;
  if (status.stx_ino != kProcRootInode || !MayBeOnProcfs(directory)) return false;
  struct statfs filesystem;
  return fstatfs(directory.get(), &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC;
}

// Of the links there these alone have the size 0: see below.
bool IsReaderLink(const PathNode& link, const PathNode& directory) {
  return IsProcfsRoot(directory) && directory.IsOnMountOf(link) && link.size == 0;
}

bool IsOwnProcess(base::FdRef procfs, const std::string& name) {
  if (!std::all_of(name.begin(), name.end(), absl::ascii_isdigit)) return false;
  char own[NAME_MAX + 1];
  // Nothing where this process has no number.
  const ssize_t size = readlinkat(procfs.get(), "self", own, sizeof(own));
  if (size <= 0) return false;
  const absl::string_view self(own, static_cast<size_t>(size));
  // Threads have directories there as well, which are not listed.
  return name == self ||
         faccessat(procfs.get(), absl::StrCat(self, "/task/", name).c_str(), F_OK, 0) == 0;
}

// Callers of nd_jump_link() in the kernel: links below /proc/PID, and some of security modules.
// What proc_symlink() makes (/proc/mounts, /proc/bus/...) has all permissions and its text's length
// for a size; of magic links those with all permissions have the size 0. /proc/self, of size 0 too,
// stands in procfs's root.
bool IsMagicLink(const PathNode& link, const PathNode& directory, absl::string_view text) {
  if (link.filesystem == SECURITYFS_MAGIC || link.filesystem == AAFS_MAGIC) return true;
  if (link.filesystem != PROC_SUPER_MAGIC) return false;
  const bool in_proc_root = IsProcfsRoot(directory) && directory.IsOnMountOf(link);
  return !in_proc_root && ((link.mode & 0777) != 0777 || link.size != text.size());
}

// may_follow_link() of the kernel's fs/namei.c.
bool MayFollowLast(const PathNode& link, const PathNode& directory) {
  constexpr uint16_t kShared = S_ISVTX | S_IWOTH;
  return (directory.mode & kShared) != kShared || link.uid == geteuid() ||
         link.uid == directory.uid || !SymlinksAreProtected();
}

}  // namespace nsctl::procfsroot
