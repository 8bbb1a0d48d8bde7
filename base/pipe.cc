#include "base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/errors.h"

namespace nsctl::base {

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "pipe2");
  }
  return Pipe{OwnedFd(ends[0], "pipe"), OwnedFd(ends[1], "pipe")};
}

}  // namespace nsctl::base
