#include "procfsroot/bounded_file.h"

#include <poll.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/poll_timeout.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "procfsroot/handle.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::OwnedFd;

// 0 where the file system does not tell.
dev_t DeviceOf(const OwnedFd& file) {
  const absl::StatusOr<struct statx> status = LookedUpStat(file);
  return status.ok() ? makedev(status->stx_dev_major, status->stx_dev_minor) : 0;
}

}  // namespace

struct BoundedFile::Shared {
  OwnedFd file;
  dev_t device = 0;
  // Of Read. Not initialized: it is written before it is read.
  std::unique_ptr<char[]> buffer;
  size_t capacity = 0;

  // Reads once, waiting for what there is not yet.
  absl::StatusOr<size_t> ReadOnce(size_t size, absl::Duration patience) {
    while (true) {
      const ssize_t got = read(file.get(), buffer.get(), size);
      const int error = errno;
      if (got >= 0) return static_cast<size_t>(got);
      if (error == EINTR) continue;
      if (error != EAGAIN) return ErrnoStatus(error, "read", file.path());
      struct pollfd ready = {.fd = file.get(), .events = POLLIN, .revents = 0};
      const int events = poll(&ready, 1, base::PollTimeout(patience));
      if (events == 0) return ErrnoStatus(ETIMEDOUT, "read", file.path());
    }
  }
};

BoundedFile::BoundedFile(std::shared_ptr<BoundedCaller> caller, absl::Duration timeout,
                         OwnedFd file)
    : caller_(std::move(caller)), timeout_(timeout), shared_(std::make_shared<Shared>()) {
  shared_->device = DeviceOf(file);
  shared_->file = std::move(file);
}

BoundedFile::~BoundedFile() {
  if (shared_ == nullptr) return;
  const std::string what =
      absl::StrCat("close ", base::TerminalText(base::EncodeText(shared_->file.path())));
  // In the worker, which holds the last reference; where one cannot be had, nobody can help it.
  (void)caller_->Run<bool>(what, timeout_,
                           [shared = std::exchange(shared_, nullptr)](const DeviceGate&) mutable {
                             shared.reset();
                             return absl::StatusOr<bool>(true);
                           });
}

const std::string& BoundedFile::path() const { return shared_->file.path(); }

template <typename T>
absl::StatusOr<T> BoundedFile::Call(absl::string_view what,
                                    std::function<absl::StatusOr<T>(Shared&)> body) {
  return caller_->Run<T>(
      absl::StrCat(what, " ", base::TerminalText(base::EncodeText(path()))), timeout_,
      [shared = shared_, body = std::move(body)](const DeviceGate& gate) -> absl::StatusOr<T> {
        NSCTL_RETURN_IF_ERROR(gate(shared->device));
        return body(*shared);
      });
}

absl::StatusOr<absl::string_view> BoundedFile::Read(size_t size) {
  if (size > shared_->capacity) {
    shared_->buffer.reset(new char[size]);
    shared_->capacity = size;
  }
  // Its own answer comes before the worker is given up.
  const absl::StatusOr<size_t> got =
      Call<size_t>("read", [size, patience = timeout_ * 0.9](Shared& shared) {
        return shared.ReadOnce(size, patience);
      });
  if (!got.ok()) return got.status();
  return absl::string_view(shared_->buffer.get(), *got);
}

absl::StatusOr<std::optional<DataExtent>> BoundedFile::FindData(uint64_t offset) {
  using Answer = std::optional<DataExtent>;
  return Call<Answer>("read", [offset](Shared& shared) -> absl::StatusOr<Answer> {
    const int file = shared.file.get();
    const off_t begin = lseek(file, static_cast<off_t>(offset), SEEK_DATA);
    int error = errno;
    if (begin < 0 && error == ENXIO) return std::nullopt;
    const off_t end = begin < 0 ? -1 : lseek(file, begin, SEEK_HOLE);
    if (begin >= 0) error = errno;
    if (end < 0) return ErrnoStatus(error, "lseek", shared.file.path());
    if (static_cast<uint64_t>(begin) < offset || end <= begin) {
      return ErrnoStatus(EIO, "find holes of", shared.file.path());
    }
    return DataExtent{static_cast<uint64_t>(begin), static_cast<uint64_t>(end)};
  });
}

absl::Status BoundedFile::Seek(uint64_t offset) {
  return Call<bool>("read",
                    [offset](Shared& shared) -> absl::StatusOr<bool> {
                      if (lseek(shared.file.get(), static_cast<off_t>(offset), SEEK_SET) >= 0) {
                        return true;
                      }
                      const int error = errno;
                      return ErrnoStatus(error, "lseek", shared.file.path());
                    })
      .status();
}

absl::StatusOr<uint64_t> BoundedFile::CopyRange(std::shared_ptr<const OwnedFd> out, uint64_t offset,
                                                uint64_t size) {
  return Call<uint64_t>(
      "copy", [out = std::move(out), offset, size](Shared& shared) -> absl::StatusOr<uint64_t> {
        off_t from = static_cast<off_t>(offset);
        off_t to = from;
        const ssize_t copied = copy_file_range(shared.file.get(), &from, out->get(), &to, size, 0);
        const int error = errno;
        if (copied < 0) return ErrnoStatus(error, "copy_file_range", shared.file.path());
        return static_cast<uint64_t>(copied);
      });
}

}  // namespace nsctl::procfsroot
