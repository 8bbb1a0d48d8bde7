// The words for a mount's own flags, as mountinfo has them, and MOUNT_ATTR_* as statmount has them.
//
// Source: mount_setattr(2), show_mnt_opts and show_sb_opts in fs/proc_namespace.c.

#ifndef NSCTL_MOUNTTREE_MOUNT_OPTIONS_H_
#define NSCTL_MOUNTTREE_MOUNT_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::mounttree {

// "ro,nosuid,relatime" -> MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID. No word for access times means
// MOUNT_ATTR_STRICTATIME. Words that are not known are passed over.
uint64_t ParseMountOptions(absl::string_view options);

// MOUNT_ATTR_* as mountinfo writes them, in its order; bits that are not known are passed over.
// Appends to `out`.
void AppendMountOptions(uint64_t attributes, std::string* out);

// SB_* (MountStatus::SuperBlock::flags) as mountinfo begins a super block's options: "rw,sync".
// Appends to `out`.
void AppendSuperBlockFlags(uint32_t flags, std::string* out);

// True for an option that a security module, not the file system, answers for: "seclabel",
// "context=...", "smackfsroot=...".
bool IsSecurityOption(absl::string_view option);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_OPTIONS_H_
