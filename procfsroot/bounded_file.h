// The content of a file of another root in pieces, each with a deadline: for those who read files
// of any size and must neither wait for ever nor keep more than a piece in memory.
//
//   BoundedFile file(caller, timeout, *std::move(opened));  // Root::Open
//   while (true) {
//     NSCTL_ASSIGN_OR_RETURN(absl::string_view piece, file.Read(1 << 20));
//     if (piece.empty()) break;
//     ...
//   }
//
// Root (root.h) finds and opens files; its own methods that read give whole answers.

#ifndef NSCTL_PROCFSROOT_BOUNDED_FILE_H_
#define NSCTL_PROCFSROOT_BOUNDED_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "procfsroot/bounded_call.h"

namespace nsctl::procfsroot {

// A part of a file that is not a hole.
struct DataExtent {
  uint64_t begin = 0;
  uint64_t end = 0;

  friend bool operator==(const DataExtent&, const DataExtent&) = default;
};

// A file that is open for reading. Errors of all methods: DEADLINE_EXCEEDED and UNAVAILABLE
// (bounded_call.h); those of the system call. For one thread at a time.
class BoundedFile {
 public:
  BoundedFile(std::shared_ptr<BoundedCaller> caller, absl::Duration timeout, base::OwnedFd file);
  BoundedFile(BoundedFile&&) = default;
  BoundedFile& operator=(BoundedFile&&) = delete;
  // Closing may block as well (a FUSE server is told): it is done in a worker.
  ~BoundedFile();

  const std::string& path() const;

  // The next bytes, at most `size`; empty at the end. Valid until the next call. One that has
  // nothing to give yet (a FIFO whose writer is slow) is waited for until the deadline.
  absl::StatusOr<absl::string_view> Read(size_t size);

  // The first extent that ends after `offset`, from `offset` on; nullopt where only a hole is left.
  // Where the file system knows of no holes, all up to the end of the file.
  // Errors: EIO where the answers contradict each other. Source: lseek(2), SEEK_DATA.
  absl::StatusOr<std::optional<DataExtent>> FindData(uint64_t offset);

  // Moves the offset that Read starts from.
  absl::Status Seek(uint64_t offset);

  // Copies up to `size` bytes at `offset` to the same place of `out` without taking them through
  // this process; returns how many, 0 at the end (and for files like those of procfs, whose end
  // only Read finds). Errors: EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, EPERM or
  // EBADF: not between these two; Read it then. Source: copy_file_range(2).
  absl::StatusOr<uint64_t> CopyRange(std::shared_ptr<const base::OwnedFd> out, uint64_t offset,
                                     uint64_t size);

 private:
  // What a call that was abandoned goes on to use.
  struct Shared;

  // Runs `body` in a worker.
  template <typename T>
  absl::StatusOr<T> Call(absl::string_view what, std::function<absl::StatusOr<T>(Shared&)> body);

  std::shared_ptr<BoundedCaller> caller_;
  absl::Duration timeout_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_BOUNDED_FILE_H_
