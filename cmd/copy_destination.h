// A directory that files are copied into, which somebody else may be changing at the same time.
//
// Everything is made below a directory that is held open, under a name of a single component, and
// nothing that is there already is ever followed or written into: files and links are made under
// another name and take their own at once, as a whole. So an interrupted copy leaves no half file
// under a name that means something.

#ifndef NSCTL_CMD_COPY_DESTINATION_H_
#define NSCTL_CMD_COPY_DESTINATION_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// What is made beside the content. Absent: as the file was made.
struct CopyAttributes {
  // Permission bits.
  mode_t mode = 0600;
  std::optional<std::pair<uid_t, gid_t>> owner = std::nullopt;
  // Access and modification.
  std::optional<std::pair<struct timespec, struct timespec>> times = std::nullopt;
};

// A file that has no name yet. Its end removes it unless it was given one.
class NewFile {
 public:
  NewFile(NewFile&&) = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  // Shared with workers that write to it.
  const std::shared_ptr<const base::OwnedFd>& fd() const { return fd_; }

 private:
  friend class CopyDestination;

  NewFile(std::shared_ptr<const base::OwnedFd> directory, std::string temporary_name,
          std::shared_ptr<const base::OwnedFd> fd)
      : directory_(std::move(directory)),
        temporary_name_(std::move(temporary_name)),
        fd_(std::move(fd)) {}

  std::shared_ptr<const base::OwnedFd> directory_;
  std::string temporary_name_;
  std::shared_ptr<const base::OwnedFd> fd_;
};

// Names are single components. Errors of all: those of the system calls, naming the file.
class CopyDestination {
 public:
  // `path` is the caller's own, links followed. Errors: ENOTDIR; FAILED_PRECONDITION where it leads
  // through a magic link of procfs (/proc/PID/root): into what may be hostile. Before Linux 5.6 it
  // is followed.
  static absl::StatusOr<CopyDestination> Open(const std::string& path);

  // The directory itself.
  base::FdRef fd() const { return *directory_; }

  // Whether a file or link of this name may be made: where there is none, and in the place of a
  // regular file or symlink. Errors: EISDIR for a directory; EEXIST for a FIFO, a device or a
  // socket, which would be lost; INVALID_ARGUMENT where it is the same file as `source`.
  absl::Status CheckReplaceable(const std::string& name, const struct statx& source) const;

  absl::StatusOr<NewFile> MakeFile() const;

  // Gives it its attributes, then its name, in the place of the file or link that had it.
  absl::Status Finish(NewFile file, const std::string& name,
                      const CopyAttributes& attributes) const;

  // A symlink with this text. `times` may be absent.
  absl::Status MakeLink(const std::string& text, const std::string& name,
                        const CopyAttributes& attributes) const;

  // The directory `name`, which is made if it is not there. Errors: ENOTDIR where something else
  // is, a symlink to a directory too.
  struct Made;
  absl::StatusOr<Made> MakeDirectory(const std::string& name) const;

  // Of this directory itself.
  absl::Status SetAttributes(const CopyAttributes& attributes) const;

 private:
  explicit CopyDestination(base::OwnedFd directory)
      : directory_(std::make_shared<const base::OwnedFd>(std::move(directory))) {}

  std::shared_ptr<const base::OwnedFd> directory_;
};

struct CopyDestination::Made {
  CopyDestination directory;
  // False where it was there before.
  bool is_new;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COPY_DESTINATION_H_
