// Hears of what is made, written, renamed and removed in one folder, where the kernel tells.

#ifndef NSCTL_ENGINES_FOLDER_WATCH_H_
#define NSCTL_ENGINES_FOLDER_WATCH_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

class FolderWatch {
 public:
  // The folder `path` of `root`, which need not be there yet. Errors: those of inotify_init1(2).
  static absl::StatusOr<FolderWatch> Make(procfsroot::Root root, absl::string_view path);

  // Begins to watch where that is not done: the folder may be made at any time, and made anew. True
  // where it began just now: what happened before is not told. Goes on with what is there.
  bool Begin();

  // Readable when something happened.
  base::FdRef fd() const { return inotify_; }

  // Takes what is told by now. Does not block.
  void Drain();

 private:
  FolderWatch(procfsroot::Root root, absl::string_view path, base::OwnedFd inotify)
      : root_(std::move(root)), path_(path), inotify_(std::move(inotify)) {}

  procfsroot::Root root_;
  std::string path_;
  base::OwnedFd inotify_;
  bool watching_ = false;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FOLDER_WATCH_H_
