#include "base/nsfs_handle.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"

namespace nsctl::base {
namespace {

// struct file_handle ends in an array without a size; this gives it the room for a namespace's.
class FileHandle {
 public:
  FileHandle() : FileHandle(abi::NsfsFileHandle{}) {}
  explicit FileHandle(const abi::NsfsFileHandle& payload) {
    get()->handle_bytes = sizeof(payload);
    get()->handle_type = abi::kFileidNsfs;
    std::memcpy(get()->f_handle, &payload, sizeof(payload));
  }

  file_handle* get() { return reinterpret_cast<file_handle*>(storage_); }

  bool is_namespace() {
    return get()->handle_type == abi::kFileidNsfs &&
           get()->handle_bytes == sizeof(abi::NsfsFileHandle);
  }

  abi::NsfsFileHandle payload() {
    abi::NsfsFileHandle payload;
    std::memcpy(&payload, get()->f_handle, sizeof(payload));
    return payload;
  }

 private:
  alignas(file_handle) char storage_[sizeof(file_handle) + sizeof(abi::NsfsFileHandle)] = {};
};

}  // namespace

absl::StatusOr<NamespaceHandle> HandleOf(FdRef ns) {
  FileHandle handle;
  int mount_id = 0;
  if (name_to_handle_at(ns.get(), "", handle.get(), &mount_id, AT_EMPTY_PATH) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "name_to_handle_at", ns.path());
  }
  if (!handle.is_namespace()) {
    return absl::InvalidArgumentError(
        absl::StrCat("name_to_handle_at ", ns.path(), ": not a namespace"));
  }
  const abi::NsfsFileHandle payload = handle.payload();
  return NamespaceHandle{payload.ns_id, NamespaceTypeFromCloneFlag(payload.ns_type),
                         payload.ns_inum};
}

absl::StatusOr<OwnedFd> OpenByHandle(const NamespaceHandle& handle) {
  const uint32_t flag = handle.type.has_value() ? InfoOf(*handle.type).clone_flag : 0;
  FileHandle raw(abi::NsfsFileHandle{handle.kernel_id, flag, handle.inode});
  const int fd = open_by_handle_at(abi::kFdNsfsRoot, raw.get(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    return ErrnoStatus(error, "open_by_handle_at",
                       absl::StrCat("namespace with id ", handle.kernel_id));
  }
  return OwnedFd(fd, absl::StrCat("namespace with id ", handle.kernel_id));
}

}  // namespace nsctl::base
