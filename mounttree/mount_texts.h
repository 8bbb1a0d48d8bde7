// Bounds what the texts of mounts take: the kernel has no limit for the paths that it writes, and a
// user namespace is all that one needs to put hundreds of mounts on a path of a megabyte.
//
// Every mount stays, with its numbers, flags and short texts, so that trees stay whole; texts that
// are too much are left out. The same for both readers, as it goes by what the message holds.

#ifndef NSCTL_MOUNTTREE_MOUNT_TEXTS_H_
#define NSCTL_MOUNTTREE_MOUNT_TEXTS_H_

#include <cstddef>
#include <cstdint>

#include "mounttree/mount.pb.h"

namespace nsctl::mounttree {

// In bytes of stored text.
struct MountTextLimits {
  // Of one text. No system call takes more than 4096 bytes (PATH_MAX); what is reached step by step
  // may be longer, stored text has up to four bytes for one, and an overlay of 500 layers names
  // them all in its options.
  size_t longest = size_t{256} << 10;
  // Texts up to this size are always kept, and do not count: the kernel keeps as much for a mount.
  size_t shortest = 256;
  // Of all longer ones in one mount namespace: as the options of 5000 containers' overlays.
  size_t all = size_t{16} << 20;
};

// For one mount namespace.
class MountTexts {
 public:
  explicit MountTexts(const MountTextLimits& limits) : limits_(limits) {}

  // Leaves out of `mount`, whole as FillMount made it, what is too much. `lacks_text`: it comes
  // without a text that was too long to be asked for.
  void Limit(Mount* mount, bool lacks_text = false);

  // Adds a gap for each of the two limits that were met. It counts mounts, and names the first.
  void AddGaps(MountNamespace* out) const;

 private:
  struct Loss {
    uint64_t mounts = 0;
    uint32_t first = 0;
  };
  // Whether a text of `size` bytes may be kept.
  bool Admit(size_t size);
  static void Count(uint32_t mount_id, Loss* loss);

  const MountTextLimits limits_;
  size_t used_ = 0;
  Loss too_long_, too_many_;
  // Of the mount that is being limited.
  bool is_too_long_ = false, is_too_many_ = false;
};

// What those that are kept of `mounts` count for `all`.
size_t LongTextBytes(const MountNamespace& mounts, const MountTextLimits& limits);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_TEXTS_H_
