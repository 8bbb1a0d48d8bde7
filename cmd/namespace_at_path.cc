#include "cmd/namespace_at_path.h"

#include <fcntl.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "cmd/usage.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::cmd {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

absl::StatusOr<base::OwnedFd> OpenNamespaceAtPath(const std::string& path) {
  using procfsroot::PathLinks;
  absl::StatusOr<base::OwnedFd> fd =
      procfsroot::OpenNamespaceFileAt(base::FdRef(AT_FDCWD), path, PathLinks::kFollowed, kPatience);
  switch (base::ErrnoOf(fd.status())) {
    case ESTALE:
      return absl::InvalidArgumentError(absl::StrCat(QuotedArgument(path), " is no namespace"));
    case ETIMEDOUT:
      return absl::DeadlineExceededError(absl::StrCat("open ", QuotedArgument(path),
                                                      ": a file system on the way did not answer ",
                                                      "within ", absl::FormatDuration(kPatience)));
    default:
      return fd;
  }
}

}  // namespace nsctl::cmd
