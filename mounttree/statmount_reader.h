// Reads the mounts of a mount namespace by listmount(2) and statmount(2). Use read_mounts.h, which
// also knows what to do without them.

#ifndef NSCTL_MOUNTTREE_STATMOUNT_READER_H_
#define NSCTL_MOUNTTREE_STATMOUNT_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "base/fd.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_texts.h"
#include "mounttree/super_block_options.h"

namespace nsctl::mounttree {

// One of them at least.
struct StatmountAddress {
  std::optional<uint64_t> kernel_id = std::nullopt;
  // Open on the namespace. Also tells how many mounts there are to be.
  std::optional<base::FdRef> fd = std::nullopt;
};

struct StatmountOptions {
  bool propagate_from = false;
  // As in ReadMountsOptions.
  bool places_only = false;
  SuperBlockOptions* super_blocks = nullptr;
  size_t max_mounts = 0;
  MountTextLimits texts = {};
  // kStatmount* bits that are taken for unknown to the kernel: for tests.
  uint64_t hidden_fields = 0;
};

// Fills `out`, which is to be empty. One statmount for each mount, a second one for an idmapped
// one. `is_whole` becomes false where mountinfo may have more: the kernel does not know all that it
// tells there, or listed fewer mounts than it counts.
// Errors: those of ListMounts and MountNamespaceIdOf; `out` is then undefined.
absl::Status ReadByStatmount(const StatmountAddress& address, const StatmountOptions& options,
                             MountNamespace* out, bool* is_whole);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_STATMOUNT_READER_H_
