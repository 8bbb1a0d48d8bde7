// Where paths of another root lead to, as `nsctl fs resolve` and `readlink -f` print it.

#ifndef NSCTL_CMD_FS_DISPLAY_H_
#define NSCTL_CMD_FS_DISPLAY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// A file and the path from the root, without links and "..", that led to it when it was looked at.
struct FsPlace {
  base::OwnedFd handle;
  std::string path;
};

// Resolves `path` and says where that is. Where files are moved meanwhile it is done anew, some
// times. Errors: those of Root::Resolve; ESTALE where what is found is moved each time, out of the
// root or within it, or is removed.
absl::StatusOr<FsPlace> FindFsPlace(const procfsroot::Root& root, absl::string_view path,
                                    procfsroot::PathRules rules = {});

// The path of `handle`, which is of this root. Errors: ESTALE where that path does not lead to it.
absl::StatusOr<std::string> CheckedFsPath(const procfsroot::Root& root, base::FdRef handle);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_DISPLAY_H_
