#include "mounttree/statmount_reader.h"

#include <linux/mount.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/kernel_abi.h"
#include "base/mount_api.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_message.h"
#include "mounttree/mount_texts.h"

namespace nsctl::mounttree {
namespace {

namespace abi = base::abi;
using base::MountNamespaceRef;
using base::MountStatus;
using base::UniqueMountId;

constexpr char kNamespaceFileSystem[] = "nsfs";

constexpr uint64_t kBasicFields = abi::kStatmountSbBasic | abi::kStatmountMntBasic;
// What mountinfo tells of every mount.
constexpr uint64_t kMountinfoFields = kBasicFields | abi::kStatmountMntRoot |
                                      abi::kStatmountMntPoint | abi::kStatmountFsType |
                                      abi::kStatmountFsSubtype | abi::kStatmountSbSource |
                                      abi::kStatmountOptArray | abi::kStatmountOptSecArray;
// What the file system writes anew for each question.
constexpr uint64_t kSuperBlockOptions =
    abi::kStatmountOptArray | abi::kStatmountOptSecArray | abi::kStatmountMntOpts;
// What SuperBlockOptions has.
constexpr uint64_t kSuperBlockFields =
    kSuperBlockOptions | abi::kStatmountFsType | abi::kStatmountFsSubtype;
// Where all texts together are more than the kernel may give: which of them to do without.
constexpr uint64_t kLongTexts[] = {abi::kStatmountMntPoint, abi::kStatmountMntRoot,
                                   abi::kStatmountMntPoint | abi::kStatmountMntRoot,
                                   abi::kStatmountMntPoint | abi::kStatmountMntRoot |
                                       abi::kStatmountSbSource | kSuperBlockOptions};
constexpr uint64_t kIdMaps = abi::kStatmountMntUidmap | abi::kStatmountMntGidmap;

void AddGap(absl::string_view operation, absl::string_view error, uint64_t count,
            MountNamespace* out) {
  MountGap* const gap = out->add_gaps();
  gap->set_operation(std::string(operation));
  gap->set_error(std::string(error));
  gap->set_consequence("mounts are missing");
  gap->set_count(count);
}

class StatmountReader {
 public:
  StatmountReader(MountNamespaceRef ns, const StatmountOptions& options, MountNamespace* out)
      : ns_(ns), options_(options), out_(*out), texts_(options.texts) {}

  // Asks for one mount. Only an error of the call itself, not of that mount, is one.
  absl::Status Read(UniqueMountId id) {
    const int before = out_.mounts_size();
    lacks_text_ = false;
    NSCTL_RETURN_IF_ERROR(ReadWhole(id));
    if (out_.mounts_size() > before) Limit(out_.mutable_mounts(before));
    return absl::OkStatus();
  }

  void AddGaps() {
    texts_.AddGaps(&out_);
    for (const auto& [error, count] : refused_) {
      AddGap("statmount", base::ErrnoName(error), count, &out_);
    }
  }

  // Whether the kernel knows all that mountinfo tells.
  bool knows_all() const { return knows_all_; }

 private:
  absl::Status ReadWhole(UniqueMountId id) {
    if (mask_ == 0) NSCTL_RETURN_IF_ERROR(LearnMask(id));
    SuperBlockOptions* const known = options_.places_only ? nullptr : options_.super_blocks;
    if (known != nullptr && known->MayKnow(id)) {
      const absl::StatusOr<MountStatus> status = Ask(id, mask_ & ~kSuperBlockFields);
      if (!status.ok()) return Count(status.status());
      if (!IsMount(*status)) return Count(base::ErrnoStatus(ENODATA, "statmount"));
      Mount* const mount = Add(*status);
      if (known->Fill(*status, mount)) return absl::OkStatus();
      out_.mutable_mounts()->RemoveLast();
    }
    const absl::StatusOr<MountStatus> status = Ask(id, mask_);
    if (!status.ok()) return Count(status.status());
    if (!IsMount(*status)) return Count(base::ErrnoStatus(ENODATA, "statmount"));
    const Mount& mount = *Add(*status);
    if (known != nullptr) known->Keep(*status, mount);
    return absl::OkStatus();
  }

  void Limit(Mount* mount) {
    // A namespace's file is all that is wanted of a root then.
    if (options_.places_only && mount->fs_type() != kNamespaceFileSystem) {
      std::string().swap(*mount->mutable_root());
    }
    texts_.Limit(mount, lacks_text_);
  }

  // Nothing can be said of a mount without them.
  static bool IsMount(const MountStatus& status) {
    return status.mount.has_value() && status.super_block.has_value();
  }

  Mount* Add(const MountStatus& status) {
    Mount* const mount = out_.add_mounts();
    FillMount(status, knows_source_, mount);
    if (mount->idmapped()) AddIdMaps(status.mount->id, mount);
    return mount;
  }

  absl::StatusOr<MountStatus> Ask(UniqueMountId id, uint64_t mask) {
    mask &= ~options_.hidden_fields;
    absl::StatusOr<MountStatus> status = base::StatMount(ns_, id, mask, &buffer_);
    // No buffer is large enough for texts that are left out anyway.
    for (const uint64_t left_out : kLongTexts) {
      if (base::ErrnoOf(status.status()) != EOVERFLOW) break;
      status = base::StatMount(ns_, id, mask & ~left_out, &buffer_);
      lacks_text_ = true;
    }
    return status;
  }

  // Which fields to ask for. Kernels that do not tell what they know may not know the latest ones.
  absl::Status LearnMask(UniqueMountId id) {
    const absl::StatusOr<MountStatus> status = Ask(id, kBasicFields | abi::kStatmountSupportedMask);
    if (!status.ok()) return Count(status.status());
    const uint64_t known = status->supported_mask.value_or(0) & ~options_.hidden_fields;
    mask_ = kMountinfoFields | (options_.propagate_from ? abi::kStatmountPropagateFrom : 0);
    knows_all_ = (known & kMountinfoFields) == kMountinfoFields;
    knows_source_ = (known & abi::kStatmountSbSource) != 0;
    // Older, and asked for only then: it makes the file system write its options once more.
    if ((known & abi::kStatmountOptArray) == 0) mask_ |= abi::kStatmountMntOpts;
    if (options_.places_only) {
      mask_ &= ~(kSuperBlockOptions | abi::kStatmountSbSource | abi::kStatmountFsSubtype);
      knows_source_ = false;
    }
    return absl::OkStatus();
  }

  void AddIdMaps(UniqueMountId id, Mount* mount) {
    base::StatMountBuffer buffer;
    const absl::StatusOr<MountStatus> status =
        base::StatMount(ns_, id, (kBasicFields | kIdMaps) & ~options_.hidden_fields, &buffer);
    if (status.ok()) FillIdMaps(*status, mount);
  }

  absl::Status Count(const absl::Status& status) {
    const int error = base::ErrnoOf(status);
    if (base::IsGone(error)) {
      out_.set_vanished_mounts(out_.vanished_mounts() + 1);
    } else if (error == 0 || base::IsUnsupported(error)) {
      return status;
    } else {
      ++refused_[error];
    }
    return absl::OkStatus();
  }

  const MountNamespaceRef ns_;
  const StatmountOptions options_;
  MountNamespace& out_;
  MountTexts texts_;
  // The mount that is being read has texts that were not asked for.
  bool lacks_text_ = false;
  base::StatMountBuffer buffer_;
  // 0 until a mount has answered.
  uint64_t mask_ = 0;
  bool knows_all_ = true;
  bool knows_source_ = false;
  std::map<int, uint64_t> refused_;
};

struct Target {
  uint64_t kernel_id = 0;
  // How many mounts there are at least; 0 where the kernel does not tell.
  uint32_t mount_count = 0;
};

absl::StatusOr<Target> FindTarget(const StatmountAddress& address) {
  Target target = {.kernel_id = address.kernel_id.value_or(0)};
  if (!address.fd.has_value()) {
    if (target.kernel_id != 0) return target;
    return absl::FailedPreconditionError("neither id nor descriptor of the mount namespace");
  }
  const absl::StatusOr<base::MountNamespaceInfo> info = base::MountNamespaceInfoOf(*address.fd);
  if (info.ok()) return Target{info->kernel_id, info->mount_count};
  if (target.kernel_id == 0) {
    NSCTL_ASSIGN_OR_RETURN(target.kernel_id, base::MountNamespaceIdOf(*address.fd));
  }
  return target;
}

}  // namespace

absl::Status ReadByStatmount(const StatmountAddress& address, const StatmountOptions& options,
                             MountNamespace* out, bool* is_whole) {
  NSCTL_ASSIGN_OR_RETURN(const Target target, FindTarget(address));
  const MountNamespaceRef ns = MountNamespaceRef::WithId(target.kernel_id);
  NSCTL_ASSIGN_OR_RETURN(const std::vector<UniqueMountId> ids,
                         base::ListMounts(ns, options.max_mounts));
  StatmountReader reader(ns, options, out);
  out->mutable_mounts()->Reserve(static_cast<int>(ids.size()));
  UniqueMountId last;
  for (const UniqueMountId id : ids) {
    // They ascend, so one that is listed twice stands behind itself.
    if (id != last) NSCTL_RETURN_IF_ERROR(reader.Read(id));
    last = id;
  }
  out->set_reader(MountNamespace::statmount);
  out->set_kernel_id(target.kernel_id);
  *is_whole = reader.knows_all() && ids.size() >= target.mount_count;
  if (ids.size() < target.mount_count)
    AddGap("listmount", "", target.mount_count - ids.size(), out);
  reader.AddGaps();
  return absl::OkStatus();
}

}  // namespace nsctl::mounttree
