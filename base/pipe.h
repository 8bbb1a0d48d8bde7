// A pipe with both ends owned.

#ifndef NSCTL_BASE_PIPE_H_
#define NSCTL_BASE_PIPE_H_

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::base {

struct Pipe {
  OwnedFd read_end;
  OwnedFd write_end;
};

// Both ends are close-on-exec. Errors: those of pipe2(2).
absl::StatusOr<Pipe> MakePipe();

}  // namespace nsctl::base

#endif  // NSCTL_BASE_PIPE_H_
