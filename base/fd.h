// File descriptors that are closed once and know what they were opened from.
//
// OwnedFd owns; FdRef borrows and is what functions take. An OwnedFd converts to an FdRef, never
// the other way. An FdRef must not outlive the OwnedFd that it came from.

#ifndef NSCTL_BASE_FD_H_
#define NSCTL_BASE_FD_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::base {

class OwnedFd {
 public:
  // Holds nothing.
  OwnedFd() = default;
  // Takes `fd`, which may be -1. `path` is only ever used in messages.
  explicit OwnedFd(int fd, std::string path = "") : fd_(fd), path_(std::move(path)) {}
  OwnedFd(OwnedFd&& other) noexcept;
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  ~OwnedFd();

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  const std::string& path() const { return path_; }

  // Gives the descriptor away; this object holds nothing afterwards.
  int Release();

  // Closes now and says how it went. EINTR counts as closed: on Linux the descriptor is gone
  // (close(2)). Closing nothing is OK.
  absl::Status Close();

 private:
  int fd_ = -1;
  std::string path_;
};

class FdRef {
 public:
  // Implicit on purpose: an owner may be lent anywhere. `owner` must outlive this reference.
  // NOLINTNEXTLINE(google-explicit-constructor)
  FdRef(const OwnedFd& owner) : fd_(owner.get()), path_(owner.path()) {}
  // `path` must outlive this reference. AT_FDCWD is a valid `fd` for the *At functions.
  explicit FdRef(int fd, absl::string_view path = "") : fd_(fd), path_(path) {}

  int get() const { return fd_; }
  absl::string_view path() const { return path_; }

 private:
  int fd_;
  absl::string_view path_;
};

// What messages call `path` relative to `dir`: "/proc/7" and "ns" make "/proc/7/ns".
std::string DescribePath(FdRef dir, absl::string_view path);

// openat(2) with O_CLOEXEC always added. `path` is relative to `dir`; symlinks are followed as the
// kernel does unless `flags` say otherwise, so this is for trusted trees: other roots go through
// procfsroot. Errors: those of openat(2), naming `dir`'s path and `path`.
absl::StatusOr<OwnedFd> OpenAt(FdRef dir, const std::string& path, int flags, mode_t mode = 0);

// fstat(2). Errors: EBADF and what the filesystem returns.
absl::StatusOr<struct stat> Stat(FdRef fd);

// Reads `fd` from its current offset to its end into `out` (replaced). Never trusts st_size (files
// below /proc report 0), retries EINTR. Stops with RESOURCE_EXHAUSTED once more than `limit` bytes
// are there; `out` then holds the first `limit`.
// Races: a file below /proc may tear between two reads of it, or end with ESRCH when its process
// goes; that error is returned.
absl::Status ReadToEnd(FdRef fd, size_t limit, std::string* out);

// Opens, reads to the end and closes. Errors as for OpenAt and ReadToEnd.
absl::StatusOr<std::string> ReadFileAt(FdRef dir, const std::string& path, size_t limit);

// Writes all of `data`, retrying EINTR and short writes. Errors: those of write(2); EIO where a
// write makes no progress.
absl::Status WriteAll(FdRef fd, absl::string_view data);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_FD_H_
