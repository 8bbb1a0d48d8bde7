// Fills a Mount message from what either reader has: a row of mountinfo, or the answer of
// statmount(2). Both give the same message for the same mount, but for what only one of them knows.

#ifndef NSCTL_MOUNTTREE_MOUNT_MESSAGE_H_
#define NSCTL_MOUNTTREE_MOUNT_MESSAGE_H_

#include "absl/strings/string_view.h"
#include "base/mount_api.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mountinfo.h"

namespace nsctl::mounttree {

// `mount` is to be empty. What statmount alone knows stays absent.
void FillMount(const MountinfoRow& row, Mount* mount);

// `mount` is to be empty. `status` must have `mount` and `super_block`. Fields that it has not stay
// absent, but for the source: the kernel answers nothing for an empty one, so where `knows_source`
// (kStatmountSbSource is in its supported mask) it becomes empty. The options are taken from
// `option_array`, or where that is absent from `options`, which has mountinfo's escapes.
void FillMount(const base::MountStatus& status, bool knows_source, Mount* mount);

// Adds the maps of an idmapped mount.
void FillIdMaps(const base::MountStatus& status, Mount* mount);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_MESSAGE_H_
