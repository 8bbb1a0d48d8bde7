// The namespace that a path which a user typed leads to.

#ifndef NSCTL_CMD_NAMESPACE_AT_PATH_H_
#define NSCTL_CMD_NAMESPACE_AT_PATH_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::cmd {

// Opens for ioctls what `path` of the caller's own root leads to: a bind mount or a link of procfs.
// Opens nothing else, and does not hang where a file system on the way does not answer.
// Errors: those of open(2); INVALID_ARGUMENT where it is no namespace; DEADLINE_EXCEEDED after five
// seconds.
absl::StatusOr<base::OwnedFd> OpenNamespaceAtPath(const std::string& path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_NAMESPACE_AT_PATH_H_
