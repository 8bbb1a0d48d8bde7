// listmount(2) and statmount(2): the mounts of any mount namespace, one system call for the list
// and one for each mount, without entering the namespace and without touching a filesystem (a dead
// NFS server cannot make these calls hang).
//
//   NSCTL_ASSIGN_OR_RETURN(std::vector<UniqueMountId> ids,
//                          ListMounts(MountNamespaceRef::WithId(id), kMaxMounts));
//   StatMountBuffer buffer;
//   for (UniqueMountId id : ids) {
//     absl::StatusOr<MountStatus> mount =
//         StatMount(MountNamespaceRef::WithId(ns), id, mask, &buffer);
//     if (IsGone(mount.status())) continue;  // Unmounted since.
//     ...
//   }
//
// Source: listmount(2), statmount(2), fs/namespace.c.

#ifndef NSCTL_BASE_MOUNT_API_H_
#define NSCTL_BASE_MOUNT_API_H_

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/fd.h"
// For the kStatmount* bits.
#include "base/kernel_abi.h"

namespace nsctl::base {

// The 64-bit id of a mount: never dealt twice while the kernel runs. Other than the id in
// mountinfo.
struct UniqueMountId {
  uint64_t value = 0;
  friend bool operator==(const UniqueMountId&, const UniqueMountId&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const UniqueMountId&, const UniqueMountId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const UniqueMountId& id) {
    return H::combine(std::move(h), id.value);
  }
};

// The id in mountinfo: dealt again after the mount's end.
struct MountinfoId {
  uint32_t value = 0;
  friend bool operator==(const MountinfoId&, const MountinfoId&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const MountinfoId&, const MountinfoId&) = default;
};

// Which mount namespace is meant.
class MountNamespaceRef {
 public:
  // The caller's own. Only mounts below the caller's root are there then.
  static MountNamespaceRef Own() { return {}; }
  // The one with this id (nsfs.h: MountNamespaceIdOf). Linux 6.11.
  static MountNamespaceRef WithId(uint64_t kernel_id);
  // The one that `ns` is open on, which must stay open as long as this is used. Linux 6.18. EBADF
  // for descriptor 0, which the kernel takes for none.
  static absl::StatusOr<MountNamespaceRef> OfFd(FdRef ns);

  // The structure that names this namespace to the kernel, all else 0.
  abi::MntIdReq ToRequest() const;

  // For messages: "own mount namespace", "mount namespace with id 4711".
  std::string Describe() const;

 private:
  uint64_t kernel_id_ = 0;
  uint32_t fd_ = 0;
};

// Far beyond what a namespace may hold (the sysctl fs.mount-max, 100,000 unless raised).
inline constexpr size_t kMaxMounts = size_t{4} << 20;

// The mounts of `ns`, in the order of their ids, which is the order in which they were made.
//
// Errors: ENOSYS before Linux 6.8; EINVAL or E2BIG where the kernel cannot be asked for `ns` in
// this way (base::IsUnsupported covers all three); ENOENT where there is no such namespace, or, for
// the unprivileged, it is another one than the caller's own; EPERM without CAP_SYS_ADMIN in the
// user namespace that owns `ns`; RESOURCE_EXHAUSTED for more than `limit`.
// Races: as for CollectIds (collect_ids.h).
//
// Differences from mountinfo, in another namespace than the caller's own: before Linux 7.0 the
// kernel takes the first mount on rootfs for the namespace's root. Where nothing is mounted over
// rootfs itself (a host that runs from its initramfs) that is just any mount, and only those below
// it are listed: fewer than MountNamespaceInfoOf (nsfs.h) counts. From 7.0 on rootfs is listed as
// well, though the namespace's root hides it: two mounts at "/".
absl::StatusOr<std::vector<UniqueMountId>> ListMounts(const MountNamespaceRef& ns, size_t limit);

// The one of those mounts that was mounted last: ids ascend and are never dealt again. ENOENT where
// there is none; EINVAL before Linux 6.12; else errors as before.
absl::StatusOr<UniqueMountId> NewestMount(const MountNamespaceRef& ns);

// Texts that stand one after the other, each with a NUL behind it.
struct StatMountStrings {
  uint32_t count = 0;
  // All of them, NULs included.
  absl::string_view bytes;

  std::vector<absl::string_view> Split() const;

  friend bool operator==(const StatMountStrings&, const StatMountStrings&) = default;
};

// What the kernel said of a mount. A field is absent where it was not asked for, the kernel does
// not know it, or it has nothing to say (a mount point out of reach, no subtype). Texts are the
// kernel's raw bytes, not escaped as in mountinfo, and views: see StatMountBuffer.
struct MountStatus {
  struct SuperBlock {
    dev_t device = 0;
    uint64_t magic = 0;
    // SB_RDONLY, SB_SYNCHRONOUS, SB_DIRSYNC and SB_LAZYTIME alone: the MS_* of the same names.
    uint32_t flags = 0;
    friend bool operator==(const SuperBlock&, const SuperBlock&) = default;
  };
  struct Mount {
    UniqueMountId id;
    // The mount itself for a namespace's root.
    UniqueMountId parent_id;
    MountinfoId mountinfo_id;
    MountinfoId mountinfo_parent_id;
    // MOUNT_ATTR_*.
    uint64_t attributes = 0;
    // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE; shared and slave may be set together.
    uint64_t propagation = 0;
    // Peer group ids; 0 where the mount is in none, or has no master.
    uint64_t peer_group = 0;
    uint64_t master = 0;
    friend bool operator==(const Mount&, const Mount&) = default;
  };

  // kStatmountSbBasic.
  std::optional<SuperBlock> super_block;
  // kStatmountMntBasic.
  std::optional<Mount> mount;
  // kStatmountPropagateFrom: the peer group in the caller's own namespace that propagates to here.
  std::optional<uint64_t> propagate_from;
  // kStatmountMntRoot: which directory or file of the filesystem is mounted.
  std::optional<absl::string_view> root;
  // kStatmountMntPoint: relative to the caller's root in its own namespace, to the namespace's root
  // in others.
  std::optional<absl::string_view> mount_point;
  // kStatmountFsType and kStatmountFsSubtype: mountinfo joins them with a dot ("fuse.sshfs").
  std::optional<absl::string_view> fs_type;
  std::optional<absl::string_view> fs_subtype;
  // kStatmountSbSource.
  std::optional<absl::string_view> source;
  // kStatmountMntNsId.
  std::optional<uint64_t> namespace_kernel_id;
  // kStatmountMntOpts: the filesystem's own options, with commas between them. The same one by one,
  // and those of security modules: kStatmountOptArray and kStatmountOptSecArray.
  std::optional<absl::string_view> options;
  std::optional<StatMountStrings> option_array;
  std::optional<StatMountStrings> security_option_array;
  // kStatmountMntUidmap and kStatmountMntGidmap, of an idmapped mount: lines as in
  // /proc/PID/uid_map.
  std::optional<StatMountStrings> uid_map;
  std::optional<StatMountStrings> gid_map;
  // kStatmountSupportedMask: every kStatmount* bit that this kernel knows.
  std::optional<uint64_t> supported_mask;

  friend bool operator==(const MountStatus&, const MountStatus&) = default;
};

// Whether a kernel of this release (uname(2)) may be asked for kStatmountMntUidmap and
// kStatmountMntGidmap. Linux 6.15 and 6.16 write to the address 0 where a mount has such maps
// (fs/namespace.c, statmount_string), which nobody survives, so that it cannot be tried: StatMount
// never asks them.
bool MayAskForIdMaps(absl::string_view kernel_release);

// Memory for the answers of StatMount; use one again and again. Every view in a MountStatus ends
// with the next StatMount on its buffer, and with the buffer.
class StatMountBuffer {
 public:
  // All of the memory, at least `size` bytes; its content is undefined.
  absl::Span<char> Reserve(size_t size);

 private:
  // Words, because the kernel's structure wants to be aligned.
  std::vector<uint64_t> words_;
};

// More than any mount's texts take: a single page for its options, PATH_MAX for each path.
inline constexpr size_t kMaxMountStatusBytes = size_t{4} << 20;

// Asks for the fields in `mask` (kStatmount*) of the mount `id` in `ns`. kStatmountPropagateFrom
// costs a walk through the propagation tree for each mount; ask for it only where it is shown.
//
// Errors: ENOENT where the mount is gone or not in `ns`; EPERM where it is not below the caller's
// root in its own namespace, or without CAP_SYS_ADMIN in another's owner; EOVERFLOW where the texts
// need more than kMaxMountStatusBytes; as for ListMounts where the kernel does not know the call or
// how `ns` is named; INTERNAL where the kernel's answer does not hold together.
absl::StatusOr<MountStatus> StatMount(const MountNamespaceRef& ns, UniqueMountId id, uint64_t mask,
                                      StatMountBuffer* buffer);

// The kernel's answer, a struct statmount and the texts behind it. INTERNAL where it is cut short
// or points outside of itself. Views into `answer`.
absl::StatusOr<MountStatus> ParseMountStatus(absl::string_view answer);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_MOUNT_API_H_
