#include "base/openat2.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"

namespace nsctl::base {
namespace {

std::string DescribeResolved(FdRef dir, absl::string_view path, uint64_t resolve) {
  // Such a path starts at `dir` even with a leading slash.
  if (resolve & RESOLVE_IN_ROOT) path = absl::StripPrefix(path, "/");
  return DescribePath(dir, path);
}

}  // namespace

absl::StatusOr<OwnedFd> OpenAt2(FdRef dir, const std::string& path, uint64_t flags, uint64_t mode,
                                uint64_t resolve) {
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  const long fd = syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof(how));
  if (fd < 0) {
    const int error = errno;
    return ErrnoStatus(error, "openat2", DescribeResolved(dir, path, resolve));
  }
  return OwnedFd(static_cast<int>(fd), DescribeResolved(dir, path, resolve));
}

}  // namespace nsctl::base
