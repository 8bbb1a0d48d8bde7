#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace nsctl::base {

OwnedFd::OwnedFd(OwnedFd&& other) noexcept : fd_(other.Release()), path_(std::move(other.path_)) {}

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  // Taken first, so that assigning an object to itself closes nothing.
  const int fd = other.Release();
  std::string path = std::move(other.path_);
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  path_ = std::move(path);
  return *this;
}

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

int OwnedFd::Release() { return std::exchange(fd_, -1); }

absl::Status OwnedFd::Close() {
  const int fd = Release();
  if (fd < 0 || close(fd) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == EINTR) return absl::OkStatus();
  return ErrnoStatus(error, "close", path_);
}

std::string DescribePath(FdRef dir, absl::string_view path) {
  if (dir.path().empty() || absl::StartsWith(path, "/")) return std::string(path);
  if (path.empty()) return std::string(dir.path());
  return absl::StrCat(dir.path(), absl::EndsWith(dir.path(), "/") ? "" : "/", path);
}

absl::StatusOr<OwnedFd> OpenAt(FdRef dir, const std::string& path, int flags, mode_t mode) {
  const int fd = openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) {
    const int error = errno;
    return ErrnoStatus(error, "openat", DescribePath(dir, path));
  }
  return OwnedFd(fd, DescribePath(dir, path));
}

absl::StatusOr<struct stat> Stat(FdRef fd) {
  struct stat result;
  if (fstat(fd.get(), &result) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "fstat", fd.path());
  }
  return result;
}

absl::Status ReadToEnd(FdRef fd, size_t limit, std::string* out) {
  out->clear();
  // Read here and then copied: growing `out` first would write every byte of it twice, and most
  // files below /proc are far smaller than this.
  char buffer[size_t{64} << 10];
  while (true) {
    // One more than fits tells a file of exactly `limit` bytes from a longer one.
    const size_t room = limit - out->size();
    const size_t wanted = room < sizeof(buffer) ? room + 1 : sizeof(buffer);
    const ssize_t count = read(fd.get(), buffer, wanted);
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      return ErrnoStatus(error, "read", fd.path());
    }
    if (count == 0) return absl::OkStatus();
    out->append(buffer, std::min(static_cast<size_t>(count), room));
    if (static_cast<size_t>(count) > room) {
      return absl::ResourceExhaustedError(
          absl::StrCat("read ", fd.path(), ": longer than ", limit, " bytes"));
    }
  }
}

absl::StatusOr<std::string> ReadFileAt(FdRef dir, const std::string& path, size_t limit) {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd fd, OpenAt(dir, path, O_RDONLY));
  std::string content;
  NSCTL_RETURN_IF_ERROR(ReadToEnd(fd, limit, &content));
  return content;
}

absl::Status WriteAll(FdRef fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t count = write(fd.get(), data.data(), data.size());
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      return ErrnoStatus(error, "write", fd.path());
    }
    if (count == 0) return ErrnoStatus(EIO, "write", fd.path());
    data.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::base
