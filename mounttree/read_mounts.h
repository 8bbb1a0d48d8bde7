// The mounts of one mount namespace, whether or not a process is in it.
//
// Two readers fill the same message: statmount(2), which takes any namespace by its 64-bit id and
// knows more, and the text of mountinfo, for kernels without it, recorded trees, and namespaces
// that the first cannot read. Neither touches a mounted file system, so neither waits for one.
//
//   MountNamespace mounts;
//   NSCTL_RETURN_IF_ERROR(ReadMounts({.fd = mnt_namespace}, {}, &mounts));
//   const MountTree tree = PlaceMounts(&mounts);  // mount_tree.h
//
// Source: listmount(2), statmount(2), proc_pid_mountinfo(5).

#ifndef NSCTL_MOUNTTREE_READ_MOUNTS_H_
#define NSCTL_MOUNTTREE_READ_MOUNTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/mount_api.h"
#include "base/namespace_type.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_texts.h"
#include "mounttree/super_block_options.h"
#include "procfsroot/procfs.h"

namespace nsctl::mounttree {

// Which mount namespace, by all the ways to it that the caller has: one of `kernel_id`, `fd` and
// `process` at least. What is borrowed must outlive the call.
struct MountNamespaceAddress {
  std::optional<uint64_t> kernel_id = std::nullopt;
  // Open on the namespace.
  std::optional<base::FdRef> fd = std::nullopt;
  // Where `process` is read, and, for `fd`, a thread of our own that goes there. May be null where
  // neither is wanted.
  const procfsroot::Procfs* procfs = nullptr;
  // A process in it. By its mountinfo, mount points are as seen from its root directory.
  std::optional<base::Pid> process = std::nullopt;
  // The inode of the namespace's nsfs file, if known: a process that has moved on is then noticed.
  std::optional<uint32_t> inode = std::nullopt;
};

struct ReadMountsOptions {
  // kAuto: statmount where the kernel has it and tells at least as much as mountinfo, else the
  // process's mountinfo, else, also where that has no "/", that of a thread inside. The others are
  // for tests.
  enum class Reader { kAuto, kStatmount, kMountinfo, kMountinfoInside };
  Reader reader = Reader::kAuto;
  // Asks statmount for propagate_from as well: a walk through the propagation tree for each mount.
  // mountinfo always has it.
  bool propagate_from = false;
  // Leaves out what does not say where a mount is: its source and options, the subtype of its
  // file system, and its root but for nsfs. mountinfo always has it.
  bool places_only = false;
  // Options that are known already, and where new ones are kept; may be null. Borrowed.
  SuperBlockOptions* super_blocks = nullptr;
  // kStatmount* bits that are taken for unknown to the kernel: for tests.
  uint64_t hidden_statmount_fields = 0;
  size_t max_mounts = base::kMaxMounts;
  // Texts beyond them are left out, and told as gaps.
  MountTextLimits texts = {};
  // 1.3 KB for each of fs.mount-max mounts.
  size_t max_mountinfo_bytes = size_t{128} << 20;
  // For the thread or child that goes inside.
  absl::Duration timeout = absl::Seconds(10);
};

// Fills `out` (cleared first; on an arena if it is) with the mounts of `address`. Every mount is in
// it once, also where the kernel listed it twice. Mounts that are gone when they are asked for are
// counted, those that are refused become a gap.
//
// On failure `out` is empty. Errors: those of ListMounts (mount_api.h), of reading
// /proc/PID/mountinfo (procfs.h) and of entering the namespace (enter_mount_namespace.h), whichever
// way came last; ESRCH where `process` is in another namespace than `inode`;
// INVALID_ARGUMENT, naming line and field, for a mountinfo that is none; RESOURCE_EXHAUSTED past
// the limits.
// Races: the mounts may change between two calls of statmount and between two reads of mountinfo,
// so the rows may be of different moments: a parent may be missing.
absl::Status ReadMounts(const MountNamespaceAddress& address, const ReadMountsOptions& options,
                        MountNamespace* out);

// Fills `out` with the rows of a mountinfo's `text`. INVALID_ARGUMENT and RESOURCE_EXHAUSTED as
// above.
absl::Status ParseMounts(absl::string_view text, size_t max_mounts, MountNamespace* out,
                         const MountTextLimits& limits = {});

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_READ_MOUNTS_H_
