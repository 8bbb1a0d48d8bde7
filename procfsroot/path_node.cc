#include "procfsroot/path_node.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {
namespace {

// PROC_ROOT_INO of include/linux/proc_fs.h.
constexpr uint64_t kProcRootInode = 1;
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

// Callers of nd_jump_link() in the kernel: links below /proc/PID, and some of security modules.
// What proc_symlink() makes (/proc/mounts, /proc/bus/...) has all permissions and its text's length
// for a size; of magic links those with all permissions have the size 0. /proc/self, of size 0 too,
// stands in procfs's root.
bool IsMagicLink(const PathNode& link, const PathNode& directory, absl::string_view text) {
  if (link.filesystem == SECURITYFS_MAGIC || link.filesystem == AAFS_MAGIC) return true;
  if (link.filesystem != PROC_SUPER_MAGIC) return false;
  const bool in_proc_root =
      directory.IsOnMountOf(link) && directory.identity.inode == kProcRootInode;
  return !in_proc_root && ((link.mode & 0777) != 0777 || link.size != text.size());
}

// may_follow_link() of the kernel's fs/namei.c.
bool MayFollowLast(const PathNode& link, const PathNode& directory) {
  constexpr uint16_t kShared = S_ISVTX | S_IWOTH;
  return (directory.mode & kShared) != kShared || link.uid == geteuid() ||
         link.uid == directory.uid || !SymlinksAreProtected();
}

}  // namespace nsctl::procfsroot
