// Which mounts a user asked for, in the words of findmnt(8).

#ifndef NSCTL_CMD_MOUNT_FILTER_H_
#define NSCTL_CMD_MOUNT_FILTER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mounttree/holding.h"
#include "mounttree/mount.pb.h"

namespace nsctl::cmd {

// All that is not empty must hold. Texts are stored text.
struct MountFilter {
  // "ext4", "fuse" (which "fuse.sshfs" is as well), "notmpfs". Any of those without "no", none of
  // those with.
  std::vector<std::string> types = {};
  // As mounted: "/dev/sda1", "tmpfs"; any of them.
  std::vector<std::string> sources = {};
  // Super blocks; any of them. With `sources`, one that fits either is enough.
  std::vector<mounttree::Device> devices = {};
  // Words of MergedOptions: "ro", "nosuid", "size=4k"; "+WORD" for a word that begins with "no" and
  // is not one of the kernel's; "noWORD" where WORD must not be. All of them.
  std::vector<std::string> options = {};
  // Only mounts that a later one hides.
  bool shadowed = false;
  // Only pseudo file systems, or only others.
  bool pseudo = false;
  bool real = false;
};

bool Passes(const mounttree::Mount& mount, const MountFilter& filter);

// True for a file system that the kernel makes up or that lives in memory: proc, tmpfs, cgroup2 and
// their like.
bool IsPseudo(absl::string_view fs_type);

// True where another mount lies over it: its own path leads elsewhere.
bool IsHidden(const mounttree::Mount& mount);

// The options of the mount and of its super block in one: "ro" or "rw" as the two together make it,
// then the other words of the first, then those of the second.
std::string MergedOptions(const mounttree::Mount& mount);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_FILTER_H_
