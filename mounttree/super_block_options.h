// The types and options of super blocks, kept from mount namespace to mount namespace of one scan:
// most mounts are copies of others, and file systems write their options anew for each.

#ifndef NSCTL_MOUNTTREE_SUPER_BLOCK_OPTIONS_H_
#define NSCTL_MOUNTTREE_SUPER_BLOCK_OPTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/mount_api.h"
#include "mounttree/mount.pb.h"

namespace nsctl::mounttree {

// Not thread-safe.
class SuperBlockOptions {
 public:
  // So many are kept, of which none has more text.
  static constexpr size_t kMost = 4096;
  static constexpr size_t kLongest = 8192;

  // `newest`: the mount with the highest id in any of the mount namespaces that are going to be
  // read, as NewestMount says before the first one is. Mounts up to it were there then, and so were
  // their super blocks. Those of two that are still there, with the same device number, are
  // therefore the same; of younger mounts nothing is kept, as device numbers are dealt again.
  explicit SuperBlockOptions(base::UniqueMountId newest) : newest_(newest) {}

  // Whether anything could be known of the mount `id`.
  bool MayKnow(base::UniqueMountId id) const { return !options_.empty() && id <= newest_; }

  // Adds the type of the file system and the options of the super block to `mount`, which FillMount
  // made of `status` without them; false where they are not known. `status` has `mount`,
  // `super_block` and `root`.
  bool Fill(const base::MountStatus& status, Mount* mount) const;

  // Keeps those of `mount`.
  void Keep(const base::MountStatus& status, const Mount& mount);

 private:
  // A file system may write other options for another root (btrfs, subvol=).
  using Key = std::pair<dev_t, std::string>;

  const base::UniqueMountId newest_;
  absl::flat_hash_map<Key, Mount> options_;
};

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_SUPER_BLOCK_OPTIONS_H_
