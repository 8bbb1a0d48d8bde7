#include "nsdisc/bind_mount_scan.h"

#include <errno.h>
#include <linux/magic.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/mount_api.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_texts.h"
#include "mounttree/mount_tree.h"
#include "mounttree/read_mounts.h"
#include "nsdisc/namespace_way.h"

namespace nsctl::nsdisc {
namespace {

using base::MountNamespaceRef;
using mounttree::Mount;
using mounttree::MountNamespace;
using mounttree::MountNamespaceAddress;
using procfsroot::Procfs;

constexpr char kNamespaceFileSystem[] = "nsfs";

// How many mounts there are if none of them is of a namespace's file. nullopt where one is, or the
// kernel does not tell, or not of all (see ListMounts: hosts that run from their initramfs).
std::optional<uint64_t> CountIfNoneIsOfNamespace(const NamespaceTable::Known& where) {
  if (where.kernel_id == 0) return std::nullopt;
  const MountNamespaceRef ns = MountNamespaceRef::WithId(where.kernel_id);
  const absl::StatusOr<std::vector<base::UniqueMountId>> ids =
      base::ListMounts(ns, base::kMaxMounts);
  if (!ids.ok() || ids->size() < where.mount_count) return std::nullopt;
  base::StatMountBuffer buffer;
  for (const base::UniqueMountId id : *ids) {
    const absl::StatusOr<base::MountStatus> status =
        base::StatMount(ns, id, base::abi::kStatmountSbBasic, &buffer);
    if (!status.ok() && base::IsGone(status.status())) continue;
    const bool is_other =
        status.ok() && status->super_block.has_value() && status->super_block->magic != NSFS_MAGIC;
    if (!is_other) return std::nullopt;
  }
  return ids->size();
}

// Whether `fd` is still the namespace that was met: descriptors and numbers of processes are dealt
// again, and numbers of namespaces as well, but not the kernel's ids.
bool IsSame(const base::OwnedFd& fd, const NamespaceTable::Known& where) {
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(fd);
  if (!id.ok() || id->inode != where.target.inode) return false;
  if (where.kernel_id == 0) return true;
  const absl::StatusOr<uint64_t> kernel_id = base::MountNamespaceIdOf(fd);
  return kernel_id.ok() && *kernel_id == where.kernel_id;
}

// Whether the kernel, asked for the namespace by its id, gave fewer mounts than there were when it
// was opened (see ListMounts: hosts that run from their initramfs).
bool IsInPart(const MountNamespace& mounts, const NamespaceTable::Known& where) {
  return mounts.reader() == MountNamespace::statmount &&
         static_cast<uint32_t>(mounts.mounts_size()) < where.mount_count;
}

// By opening it in the first way that works.
absl::Status ReadOpened(const Procfs& procfs, const NamespaceTable::Known& where,
                        MountNamespaceAddress address, const mounttree::ReadMountsOptions& options,
                        MountNamespace* mounts) {
  absl::Status status = base::ErrnoStatus(ESRCH, "open", "mount namespace");
  for (const NamespaceWay& way : where.ways) {
    const absl::StatusOr<base::OwnedFd> fd = OpenWay(procfs, way, where.target);
    if (!fd.ok()) {
      status = fd.status();
      continue;
    }
    if (!IsSame(*fd, where)) {
      status = base::ErrnoStatus(ESTALE, "open", fd->path());
      continue;
    }
    address.fd = *fd;
    return mounttree::ReadMounts(address, options, mounts);
  }
  return status;
}

// By its id or a process in it, and only where that does not do by opening it.
absl::Status ReadAll(const Procfs& procfs, const NamespaceTable::Known& where,
                     mounttree::ReadMountsOptions options, MountNamespace* mounts) {
  MountNamespaceAddress address;
  address.procfs = &procfs;
  address.inode = where.target.inode;
  if (!procfs.is_kernel()) {
    // Ids in a recorded tree are another kernel's.
    options.reader = mounttree::ReadMountsOptions::Reader::kMountinfo;
  } else if (where.kernel_id != 0) {
    address.kernel_id = where.kernel_id;
  }
  for (const NamespaceWay& way : where.ways) {
    if (way.kind != NamespaceWay::Kind::kLink || way.tid != 0 || way.for_children) continue;
    address.process = base::Pid{way.pid};
    break;
  }
  absl::Status status = base::ErrnoStatus(ESRCH, "open", "mount namespace");
  if (address.kernel_id.has_value() || address.process.has_value()) {
    status = mounttree::ReadMounts(address, options, mounts);
    if (!procfs.is_kernel() || (status.ok() && !IsInPart(*mounts, where))) return status;
  }
  // An open one says how many mounts there are, so that the reader looks for those that are
  // missing.
  MountNamespace opened;
  const absl::Status by_opening = ReadOpened(procfs, where, address, options, &opened);
  if (!by_opening.ok()) return status.ok() || where.ways.empty() ? status : by_opening;
  *mounts = std::move(opened);
  return by_opening;
}

std::optional<base::NamespaceLink> TargetOf(const Mount& mount) {
  if (mount.fs_type() != kNamespaceFileSystem) return std::nullopt;
  return base::ParseNamespaceLinkText(mount.root());
}

}  // namespace

absl::StatusOr<BindMounts> ReadBindMounts(const Procfs& procfs, const NamespaceTable::Known& where,
                                          MountNamespace* all,
                                          mounttree::SuperBlockOptions* super_blocks,
                                          size_t* text_bytes) {
  BindMounts result;
  if (procfs.is_kernel() && all == nullptr) {
    if (const std::optional<uint64_t> count = CountIfNoneIsOfNamespace(where)) {
      result.examined = *count;
      return result;
    }
  }
  MountNamespace scratch;
  MountNamespace& mounts = all == nullptr ? scratch : *all;
  mounttree::ReadMountsOptions options{.places_only = all == nullptr, .super_blocks = super_blocks};
  if (text_bytes != nullptr) options.texts.all = std::min(options.texts.all, *text_bytes);
  NSCTL_RETURN_IF_ERROR(ReadAll(procfs, where, options, &mounts));
  if (where.kernel_id != 0) mounts.set_kernel_id(where.kernel_id);
  mounttree::PlaceMounts(&mounts);
  result.examined = static_cast<uint64_t>(mounts.mounts_size());
  size_t kept = 0;
  for (const Mount& mount : mounts.mounts()) {
    const std::optional<base::NamespaceLink> target = TargetOf(mount);
    if (!target.has_value()) continue;
    BindMounts::Found found{*target, {}, mount.mount_id()};
    found.mount.set_path(mount.mount_point());
    found.mount.set_hidden(mount.visibility() != Mount::visible);
    if (mount.has_unique_id()) found.mount.set_mount_id(mount.unique_id());
    if (all == nullptr && mount.mount_point().size() > options.texts.shortest) {
      kept += mount.mount_point().size();
    }
    result.found.push_back(std::move(found));
  }
  if (all != nullptr) kept = mounttree::LongTextBytes(mounts, options.texts);
  if (text_bytes != nullptr) *text_bytes -= std::min(kept, *text_bytes);
  for (const mounttree::MountGap& gap : mounts.gaps()) {
    result.gaps.Add({.kind = GapSubject::kNamespace,
                     .number = where.target.inode,
                     .type = base::NamespaceType::kMnt},
                    gap.operation(), gap.error().empty() ? "EACCES" : gap.error(),
                    gap.consequence(), gap.count());
  }
  return result;
}

std::optional<base::UniqueMountId> NewestMountIn(absl::Span<const NamespaceTable::Known> all) {
  std::optional<base::UniqueMountId> newest;
  for (const NamespaceTable::Known& one : all) {
    if (one.kernel_id == 0) continue;
    const absl::StatusOr<base::UniqueMountId> mount =
        base::NewestMount(MountNamespaceRef::WithId(one.kernel_id));
    if (mount.ok() && (!newest.has_value() || *mount > *newest)) newest = *mount;
  }
  return newest;
}

}  // namespace nsctl::nsdisc
