// A directory of another root, entry by entry, each step with a deadline: for those who walk whole
// trees.
//
// Nothing is found by a path: names are taken in a directory that is held open, and what they are
// is looked at before it is opened. So a walk stays below where it began, whoever renames what.

#ifndef NSCTL_PROCFSROOT_TREE_DIRECTORY_H_
#define NSCTL_PROCFSROOT_TREE_DIRECTORY_H_

#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/bounded_file.h"
#include "procfsroot/handle.h"

namespace nsctl::procfsroot {

// What a name in a directory stands for.
struct TreeEntry {
  struct statx status;
  // Of a symlink; and why it could not be read, as those of procfs to a stranger's files.
  std::string link;
  absl::Status link_status;
};

struct OpenedEntry {
  TreeEntry entry;
  // Of a regular file: all that it holds, or else the file, open at its beginning.
  std::string content;
  std::optional<BoundedFile> file;
  // Of a directory.
  base::OwnedFd directory;
};

struct TreeOptions {
  std::shared_ptr<BoundedCaller> caller;
  // For each step.
  absl::Duration timeout;
  // Do not enter what is mounted on an entry: EXDEV.
  bool same_mount = false;
};

// Links are not followed, and no automount is started. Errors of all methods: DEADLINE_EXCEEDED and
// UNAVAILABLE (bounded_call.h). For one thread at a time.
class TreeDirectory {
 public:
  // `handle` is one of a directory. Errors: ENOTDIR; EACCES; EREMOTE for an automount that nothing
  // is mounted on.
  static absl::StatusOr<TreeDirectory> Open(base::OwnedFd handle, TreeOptions options);

  // The same for a directory that OpenEntry found, cheaper.
  absl::StatusOr<TreeDirectory> Enter(base::OwnedFd handle) const;

  // The name in messages.
  const std::string& path() const;

  // Some more names, in the order in which the directory has them, "." and ".." left out; none at
  // its end. A directory may have no end: the caller sets one. `timeout`: of this step, at most the
  // one of the options. Errors: EREMOTE at the end of an automount that nothing is mounted on and
  // that has no names; EIO where there are no names but those two, again and again.
  absl::StatusOr<std::vector<std::string>> ReadNames(
      absl::Duration timeout = absl::InfiniteDuration());

  // What each of `names` (single components) is, in their order. Errors of each: ENOENT where it is
  // gone; DEADLINE_EXCEEDED where the look at it, and no other, hangs, or those before it took
  // until `deadline`.
  std::vector<absl::StatusOr<TreeEntry>> Look(absl::Span<const std::string> names,
                                              absl::Time deadline = absl::InfiniteFuture()) const;

  // The same for one name, with a handle of what is a directory and the content of what is a
  // regular file of at most `max_content` bytes without holes; one that has more is opened. What is
  // of another type is left alone. ELOOP: the directory of this process in a procfs, which is no
  // part of another root.
  absl::StatusOr<OpenedEntry> OpenEntry(const std::string& name, size_t max_content) const;

 private:
  struct Shared;

  static absl::StatusOr<TreeDirectory> Make(base::OwnedFd handle, TreeOptions options,
                                            std::shared_ptr<const SelfFds> self_fds);

  TreeDirectory(TreeOptions options, std::shared_ptr<Shared> shared)
      : options_(std::move(options)), shared_(std::move(shared)) {}

  TreeOptions options_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_TREE_DIRECTORY_H_
