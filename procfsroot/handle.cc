#include "procfsroot/handle.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "procfsroot/procfs.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

absl::StatusOr<struct statx> StatHandle(FdRef handle, int sync, unsigned int fields) {
  struct statx status;
  if (statx(handle.get(), "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | sync, fields, &status) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "statx", handle.path());
  }
  return status;
}

absl::StatusOr<std::string> ReadLinkAt(FdRef directory, const std::string& name,
                                       absl::string_view path) {
  char text[PATH_MAX];
  const ssize_t size = readlinkat(directory.get(), name.c_str(), text, sizeof(text));
  const int error = errno;
  if (size < 0) return ErrnoStatus(error, "readlink", path);
  if (size == sizeof(text)) return ErrnoStatus(ENAMETOOLONG, "readlink", path);
  return std::string(text, static_cast<size_t>(size));
}

// Layout of the kernel's directory records (getdents64(2)); glibc has no declaration for them.
struct DirectoryRecord {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

// For file systems whose directories do not tell types.
mode_t TypeOf(FdRef directory, const char* name) {
  struct statx status;
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (statx(directory.get(), name, kFlags, STATX_TYPE, &status) != 0) return 0;
  return status.stx_mode & S_IFMT;
}

bool IsOnAutofs(FdRef handle) {
  struct statfs filesystem;
  return fstatfs(handle.get(), &filesystem) == 0 && filesystem.f_type == AUTOFS_SUPER_MAGIC;
}

void AppendEntries(FdRef directory, const char* records, size_t size,
                   std::vector<DirectoryEntry>* entries) {
  for (size_t at = 0; at < size;) {
    const auto* record = reinterpret_cast<const DirectoryRecord*>(records + at);
    at += record->length;
    const char* const name = record->name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    const mode_t type = record->type != DT_UNKNOWN ? DTTOIF(record->type) : TypeOf(directory, name);
    entries->push_back({.name = name, .type = type, .inode = record->inode});
  }
}

absl::Status SetSendTimeout(FdRef socket_fd, absl::Duration timeout) {
  // 0 would be for ever.
  const struct timeval limit = absl::ToTimeval(std::max(timeout, absl::Microseconds(1)));
  if (setsockopt(socket_fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "setsockopt SO_SNDTIMEO", socket_fd.path());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<struct statx> LookedUpStat(FdRef handle) {
  // A FUSE server is asked for the time of birth whatever the flags say.
  return StatHandle(handle, AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID);
}

absl::StatusOr<struct statx> FreshStat(FdRef handle) {
  return StatHandle(handle, AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID);
}

bool IsSameFile(FdRef a, FdRef b) {
  const absl::StatusOr<struct statx> one = LookedUpStat(a);
  const absl::StatusOr<struct statx> other = LookedUpStat(b);
  if (!one.ok() || !other.ok()) return false;
  const bool is_same_mount = ((one->stx_mask & other->stx_mask) & STATX_MNT_ID) == 0 ||
                             one->stx_mnt_id == other->stx_mnt_id;
  return is_same_mount && one->stx_ino == other->stx_ino &&
         one->stx_dev_major == other->stx_dev_major && one->stx_dev_minor == other->stx_dev_minor;
}

absl::StatusOr<SelfFds> SelfFds::Open() {
  NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(OwnedFd directory, base::OpenAt(self.fd(), "fd", O_PATH | O_DIRECTORY));
  return SelfFds(std::move(directory));
}

absl::StatusOr<OwnedFd> SelfFds::Reopen(FdRef handle, int flags) const {
  const int fd = openat(directory_.get(), absl::StrCat(handle.get()).c_str(),
                        flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  const int error = errno;
  if (fd < 0) return ErrnoStatus(error, "open", handle.path());
  return OwnedFd(fd, std::string(handle.path()));
}

absl::StatusOr<std::string> SelfFds::PathOf(FdRef handle) const {
  return ReadLinkAt(directory_, absl::StrCat(handle.get()), handle.path());
}

absl::StatusOr<OwnedFd> SelfFds::Connect(FdRef handle, int type, absl::Duration timeout) const {
  OwnedFd socket_fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), std::string(handle.path()));
  int error = errno;
  if (!socket_fd.ok()) return ErrnoStatus(error, "socket", handle.path());
  NSCTL_RETURN_IF_ERROR(SetSendTimeout(socket_fd, timeout));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // connect(2) takes no descriptors; this one's number cannot be dealt again while it is open.
  const std::string path = absl::StrCat(directory_.path(), "/", handle.get());
  if (path.size() >= sizeof(address.sun_path)) {
    return ErrnoStatus(ENAMETOOLONG, "connect", directory_.path());
  }
  memcpy(address.sun_path, path.data(), path.size());
  if (connect(socket_fd.get(), reinterpret_cast<const struct sockaddr*>(&address),
              sizeof(address)) != 0) {
    error = errno;
    return ErrnoStatus(error, "connect", handle.path());
  }
  constexpr struct timeval kForEver = {};
  setsockopt(socket_fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kForEver, sizeof(kForEver));
  if (fcntl(socket_fd.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    error = errno;
    return ErrnoStatus(error, "fcntl", handle.path());
  }
  return socket_fd;
}

absl::Status SelfFds::AddWatch(FdRef inotify, FdRef handle, uint32_t events) const {
  const std::string path = absl::StrCat(directory_.path(), "/", handle.get());
  if (inotify_add_watch(inotify.get(), path.c_str(), events) < 0) {
    const int error = errno;
    return ErrnoStatus(error, "watch", handle.path());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadLinkText(FdRef handle) {
  absl::StatusOr<std::string> text = ReadLinkAt(handle, "", handle.path());
  if (base::ErrnoOf(text.status()) != ENOENT) return text;
  // With an empty path the kernel says this of what is no link; and of a link of a procfs that
  // leads nowhere for whoever reads it: exe of a kernel thread, self of another PID namespace.
  const absl::StatusOr<struct statx> link = LookedUpStat(handle);
  if (link.ok() && S_ISLNK(link->stx_mode)) return text;
  return ErrnoStatus(EINVAL, "readlink", handle.path());
}

absl::StatusOr<OwnedFd> OpenDirectory(FdRef handle) {
  // "." needs no procfs and starts no automount.
  const int fd = openat(handle.get(), ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  const int error = errno;
  if (fd >= 0) return OwnedFd(fd, std::string(handle.path()));
  // Some kernels answer so for an automount that nothing is mounted on.
  const bool is_automount = error == ENOENT && IsOnAutofs(handle);
  return ErrnoStatus(is_automount ? EREMOTE : error, "open", handle.path());
}

absl::StatusOr<std::vector<DirectoryEntry>> ListDirectory(FdRef handle, size_t max_entries) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd directory, OpenDirectory(handle));
  constexpr size_t kBufferSize = size_t{64} << 10;
  const std::unique_ptr<char[]> buffer(new char[kBufferSize]);
  std::vector<DirectoryEntry> entries;
  while (true) {
    const long size = syscall(SYS_getdents64, directory.get(), buffer.get(), kBufferSize);
    const int error = errno;
    if (size < 0) return ErrnoStatus(error, "getdents64", handle.path());
    if (size == 0) break;
    AppendEntries(directory, buffer.get(), static_cast<size_t>(size), &entries);
    if (entries.size() > max_entries) {
      return absl::ResourceExhaustedError(
          absl::StrCat("list ", base::TerminalText(base::EncodeText(handle.path())), ": more than ",
                       max_entries, " entries"));
    }
  }
  // Not empty: unknown.
  if (entries.empty() && IsOnAutofs(handle)) return ErrnoStatus(EREMOTE, "list", handle.path());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

}  // namespace nsctl::procfsroot
