// Mounts of namespaces' files, which keep namespaces alive without any process: in one mount
// namespace at a time, of which nothing but its table of mounts is read.

#ifndef NSCTL_NSDISC_BIND_MOUNT_SCAN_H_
#define NSCTL_NSDISC_BIND_MOUNT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/mount_api.h"
#include "base/namespace_type.h"
#include "mounttree/mount.pb.h"
#include "mounttree/super_block_options.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/namespace_table.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

struct BindMounts {
  struct Found {
    base::NamespaceLink target;
    // Without its mount_namespace.
    BindMount mount;
    // Its number in mountinfo and fdinfo.
    uint32_t local_id = 0;
  };
  std::vector<Found> found;
  // Mounts that were looked at, of whatever file system.
  uint64_t examined = 0;
  GapList gaps;
};

// The mounts of namespaces' files in the mount namespace `where`. Asks the kernel first of all
// whether there are any (one statmount(2) for each mount, without texts), and only then reads all
// of them, to see what hides what. With `all` not nullptr all are read, and placed, into that;
// `super_blocks` as in mounttree::ReadMountsOptions. `text_bytes`: how much of mounts' long texts
// (mount_texts.h) may be kept; what is kept is taken off. May be nullptr.
// Errors: those of mounttree::ReadMounts; ENOENT for a recorded tree that holds no mountinfo.
absl::StatusOr<BindMounts> ReadBindMounts(const procfsroot::Procfs& procfs,
                                          const NamespaceTable::Known& where,
                                          mounttree::MountNamespace* all = nullptr,
                                          mounttree::SuperBlockOptions* super_blocks = nullptr,
                                          size_t* text_bytes = nullptr);

// For `super_blocks`: what was mounted last in any of these mount namespaces. nullopt where the
// kernel does not tell.
std::optional<base::UniqueMountId> NewestMountIn(absl::Span<const NamespaceTable::Known> all);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_BIND_MOUNT_SCAN_H_
