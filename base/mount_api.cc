#include "base/mount_api.h"

#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "base/collect_ids.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/status_macros.h"

namespace nsctl::base {
namespace {

// One call is enough for nearly every mount; overlay options are the usual exception.
constexpr size_t kFirstBufferSize = 4096;

// Of this kernel.
uint64_t ForbiddenFields() {
  static const bool may_ask = [] {
    struct utsname name = {};
    return uname(&name) != 0 || MayAskForIdMaps(name.release);
  }();
  return may_ask ? 0 : abi::kStatmountMntUidmap | abi::kStatmountMntGidmap;
}

// Reads the fields of one answer that its mask says are there.
class AnswerReader {
 public:
  // `texts` is what follows the fixed part.
  AnswerReader(const abi::Statmount& fixed, absl::string_view texts)
      : fixed_(fixed), texts_(texts) {}

  std::optional<uint64_t> Number(uint64_t bit, uint64_t value) const {
    return Has(bit) ? std::optional<uint64_t>(value) : std::nullopt;
  }

  std::optional<absl::string_view> Text(uint64_t bit, uint32_t offset) {
    const std::optional<StatMountStrings> texts = Texts(bit, offset, 1);
    if (!texts.has_value()) return std::nullopt;
    return texts->bytes.substr(0, texts->bytes.size() - 1);
  }

  std::optional<StatMountStrings> Texts(uint64_t bit, uint32_t offset, uint32_t count) {
    if (!Has(bit)) return std::nullopt;
    size_t end = offset;
    for (uint32_t i = 0; i < count; ++i) {
      const size_t nul = texts_.find('\0', end);
      if (nul == absl::string_view::npos) {
        consistent_ = false;
        return std::nullopt;
      }
      end = nul + 1;
    }
    if (count == 0) return StatMountStrings{};
    return StatMountStrings{count, texts_.substr(offset, end - offset)};
  }

  bool Has(uint64_t bit) const { return (fixed_.mask & bit) != 0; }

  // Whether every text was inside of the answer.
  bool consistent() const { return consistent_; }

 private:
  const abi::Statmount& fixed_;
  absl::string_view texts_;
  bool consistent_ = true;
};

MountStatus::SuperBlock SuperBlockOf(const abi::Statmount& fixed) {
  return {makedev(fixed.sb_dev_major, fixed.sb_dev_minor), fixed.sb_magic, fixed.sb_flags};
}

MountStatus::Mount MountOf(const abi::Statmount& fixed) {
  MountStatus::Mount mount;
  mount.id = UniqueMountId{fixed.mnt_id};
  mount.parent_id = UniqueMountId{fixed.mnt_parent_id};
  mount.mountinfo_id = MountinfoId{fixed.mnt_id_old};
  mount.mountinfo_parent_id = MountinfoId{fixed.mnt_parent_id_old};
  mount.attributes = fixed.mnt_attr;
  mount.propagation = fixed.mnt_propagation;
  mount.peer_group = fixed.mnt_peer_group;
  mount.master = fixed.mnt_master;
  return mount;
}

}  // namespace

MountNamespaceRef MountNamespaceRef::WithId(uint64_t kernel_id) {
  MountNamespaceRef ref;
  ref.kernel_id_ = kernel_id;
  return ref;
}

absl::StatusOr<MountNamespaceRef> MountNamespaceRef::OfFd(FdRef ns) {
  if (ns.get() <= 0) return ErrnoStatus(EBADF, "struct mnt_id_req", ns.path());
  MountNamespaceRef ref;
  ref.fd_ = static_cast<uint32_t>(ns.get());
  return ref;
}

abi::MntIdReq MountNamespaceRef::ToRequest() const {
  abi::MntIdReq request = {};
  request.size = sizeof(request);
  request.mnt_ns_fd = fd_;
  request.mnt_ns_id = kernel_id_;
  return request;
}

std::string MountNamespaceRef::Describe() const {
  if (kernel_id_ != 0) return absl::StrCat("mount namespace with id ", kernel_id_);
  if (fd_ != 0) return absl::StrCat("mount namespace of fd ", fd_);
  return "own mount namespace";
}

absl::StatusOr<std::vector<UniqueMountId>> ListMounts(const MountNamespaceRef& ns, size_t limit) {
  abi::MntIdReq request = ns.ToRequest();
  request.mnt_id = abi::kLsmtRoot;
  NSCTL_ASSIGN_OR_RETURN(
      const std::vector<uint64_t> ids,
      CollectIds(limit, [&](uint64_t after, absl::Span<uint64_t> out) -> absl::StatusOr<size_t> {
        request.param = after;
        const long count = syscall(abi::kSysListmount, &request, out.data(), out.size(), 0U);
        if (count >= 0) return static_cast<size_t>(count);
        const int error = errno;
        return ErrnoStatus(error, "listmount", ns.Describe());
      }));
  std::vector<UniqueMountId> mounts;
  mounts.reserve(ids.size());
  for (const uint64_t id : ids) mounts.push_back(UniqueMountId{id});
  return mounts;
}

absl::StatusOr<UniqueMountId> NewestMount(const MountNamespaceRef& ns) {
  abi::MntIdReq request = ns.ToRequest();
  request.mnt_id = abi::kLsmtRoot;
  uint64_t id = 0;
  const long count = syscall(abi::kSysListmount, &request, &id, size_t{1}, abi::kListmountReverse);
  const int error = count < 0 ? errno : ENOENT;
  if (count != 1) return ErrnoStatus(error, "listmount", ns.Describe());
  return UniqueMountId{id};
}

std::vector<absl::string_view> StatMountStrings::Split() const {
  std::vector<absl::string_view> texts;
  texts.reserve(count);
  for (size_t begin = 0; begin < bytes.size();) {
    const size_t end = bytes.find('\0', begin);
    texts.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  return texts;
}

absl::Span<char> StatMountBuffer::Reserve(size_t size) {
  const size_t words = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
  if (words_.size() < words) words_.resize(words);
  return {reinterpret_cast<char*>(words_.data()), words_.size() * sizeof(uint64_t)};
}

bool MayAskForIdMaps(absl::string_view kernel_release) {
  for (const char* const faulty : {"6.15", "6.16"}) {
    absl::string_view rest = kernel_release;
    if (absl::ConsumePrefix(&rest, faulty) && (rest.empty() || !absl::ascii_isdigit(rest[0]))) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<MountStatus> StatMount(const MountNamespaceRef& ns, UniqueMountId id, uint64_t mask,
                                      StatMountBuffer* buffer) {
  abi::MntIdReq request = ns.ToRequest();
  request.mnt_id = id.value;
  request.param = mask & ~ForbiddenFields();
  absl::Span<char> memory = buffer->Reserve(kFirstBufferSize);
  while (syscall(abi::kSysStatmount, &request, memory.data(), memory.size(), 0U) != 0) {
    const int error = errno;
    if (error != EOVERFLOW || memory.size() >= kMaxMountStatusBytes) {
      return ErrnoStatus(error, "statmount",
                         absl::StrCat("mount ", id.value, " of ", ns.Describe()));
    }
    memory = buffer->Reserve(std::min(memory.size() * 2, kMaxMountStatusBytes));
  }
  return ParseMountStatus(absl::string_view(memory.data(), memory.size()));
}

absl::StatusOr<MountStatus> ParseMountStatus(absl::string_view answer) {
  abi::Statmount fixed;
  if (answer.size() < sizeof(fixed)) {
    return absl::InternalError(absl::StrCat("statmount: answer of ", answer.size(), " bytes"));
  }
  std::memcpy(&fixed, answer.data(), sizeof(fixed));
  if (fixed.size < sizeof(fixed) || fixed.size > answer.size()) {
    return absl::InternalError(absl::StrCat("statmount: answer says it has ", fixed.size,
                                            " bytes in a buffer of ", answer.size()));
  }

  AnswerReader reader(fixed, answer.substr(sizeof(fixed), fixed.size - sizeof(fixed)));
  MountStatus status;
  if (reader.Has(abi::kStatmountSbBasic)) status.super_block = SuperBlockOf(fixed);
  if (reader.Has(abi::kStatmountMntBasic)) status.mount = MountOf(fixed);
  status.propagate_from = reader.Number(abi::kStatmountPropagateFrom, fixed.propagate_from);
  status.root = reader.Text(abi::kStatmountMntRoot, fixed.mnt_root);
  status.mount_point = reader.Text(abi::kStatmountMntPoint, fixed.mnt_point);
  status.fs_type = reader.Text(abi::kStatmountFsType, fixed.fs_type);
  status.fs_subtype = reader.Text(abi::kStatmountFsSubtype, fixed.fs_subtype);
  status.source = reader.Text(abi::kStatmountSbSource, fixed.sb_source);
  status.namespace_kernel_id = reader.Number(abi::kStatmountMntNsId, fixed.mnt_ns_id);
  status.options = reader.Text(abi::kStatmountMntOpts, fixed.mnt_opts);
  status.option_array = reader.Texts(abi::kStatmountOptArray, fixed.opt_array, fixed.opt_num);
  status.security_option_array =
      reader.Texts(abi::kStatmountOptSecArray, fixed.opt_sec_array, fixed.opt_sec_num);
  status.uid_map = reader.Texts(abi::kStatmountMntUidmap, fixed.mnt_uidmap, fixed.mnt_uidmap_num);
  status.gid_map = reader.Texts(abi::kStatmountMntGidmap, fixed.mnt_gidmap, fixed.mnt_gidmap_num);
  status.supported_mask = reader.Number(abi::kStatmountSupportedMask, fixed.supported_mask);
  if (!reader.consistent()) {
    return absl::InternalError("statmount: answer points outside of itself");
  }
  return status;
}

}  // namespace nsctl::base
