#include "procfsroot/path_resolver.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "procfsroot/path_node.h"
#include "procfsroot/path_walker.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {
namespace {

using base::FdRef;
using base::OwnedFd;

// A path as the kernel wants it, without an allocation.
class PathText {
 public:
  // `path` must be shorter than PATH_MAX.
  explicit PathText(absl::string_view path) {
    memcpy(text_, path.data(), path.size());
    text_[path.size()] = '\0';
  }
  const char* c_str() const { return text_; }

 private:
  // Not initialised: the kernel reads to the NUL.
  char text_[PATH_MAX];
};

uint64_t ResolveFlags(const ResolveOptions& options) {
  return RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (options.same_mount ? RESOLVE_NO_XDEV : 0);
}

// A handle, or an errno negated.
int OpenHandle(int root, const char* path, bool follow_last, uint64_t resolve) {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | (follow_last ? 0 : O_NOFOLLOW);
  how.resolve = resolve;
  const long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
  return fd < 0 ? -errno : static_cast<int>(fd);
}

// In place of a descriptor: only the walker knows whether what is there means this process.
constexpr int kAskWalker = INT_MIN;

// As OpenHandle, or kAskWalker for what may be on a procfs, where the kernel follows links that are
// about their reader.
int OpenChecked(int root, const char* path, const ResolveOptions& options, uint64_t resolve) {
  if (options.root_is_no_procfs || options.may_be_reader) {
    // Nothing is on a procfs before a mount is crossed.
    const uint64_t unchecked = options.may_be_reader ? resolve : resolve | RESOLVE_NO_XDEV;
    const int fd = OpenHandle(root, path, options.follow_last, unchecked);
    if (fd != -EXDEV || unchecked == resolve) return fd;
  }
  const int fd = OpenHandle(root, path, options.follow_last, resolve);
  if (fd < 0 || !MayBeOnProcfs(FdRef(fd))) return fd;
  close(fd);
  return kAskWalker;
}

// The component that makes the kernel answer `error`: the last one of the shortest beginning of
// `path` for which it does. Empty where it no longer does.
absl::string_view FailingComponent(FdRef root, absl::string_view path, int error,
                                   const ResolveOptions& options, uint64_t resolve) {
  size_t end = 0;
  for (int disturbed = 0; disturbed < options.max_attempts;) {
    const size_t start = end;
    const size_t begin = path.find_first_not_of('/', start);
    if (begin == absl::string_view::npos) return "";
    end = std::min(path.find('/', begin), path.size());
    const bool is_last = path.find_first_not_of('/', end) == absl::string_view::npos;
    // With its slash, so that it must lead on; the last with all that follows it.
    const PathText beginning(is_last ? path : path.substr(0, end + 1));
    const int fd = OpenHandle(root.get(), beginning.c_str(), options.follow_last, resolve);
    if (fd >= 0) {
      close(fd);
    } else if (fd == -EAGAIN && (resolve & RESOLVE_CACHED) == 0) {
      ++disturbed;
      end = start;
    } else {
      return -fd == error ? path.substr(begin, end - begin) : "";
    }
  }
  return "";
}

// Whether the component of `path` itself, which failed where it was to lead on, is not there.
bool IsMissing(FdRef root, absl::string_view path, absl::string_view component, uint64_t resolve) {
  const PathText beginning(
      path.substr(0, static_cast<size_t>(component.data() + component.size() - path.data())));
  const int fd = OpenHandle(root.get(), beginning.c_str(), false, resolve);
  if (fd >= 0) close(fd);
  return fd == -ENOENT;
}

absl::Status CheckPath(FdRef root, absl::string_view path) {
  if (path.size() >= PATH_MAX) return ResolveError(ENAMETOOLONG, root, path.substr(0, 64), "");
  if (memchr(path.data(), '\0', path.size()) != nullptr) {
    return absl::InvalidArgumentError("resolve: a path cannot hold a NUL byte");
  }
  return absl::OkStatus();
}

// As the walker says it, who knows what is missing in the text of a link.
absl::Status ErrorOfKernel(int error, FdRef root, absl::string_view path,
                           const ResolveOptions& options) {
  const uint64_t resolve = ResolveFlags(options);
  const absl::string_view component = FailingComponent(root, path, error, options, resolve);
  if (!component.empty() && !IsMissing(root, path, component, resolve)) {
    absl::Status walked = WalkPath(root, path, options).status();
    if (base::ErrnoOf(walked) == error) return walked;
  }
  return ResolveError(error, root, path, component);
}

absl::StatusOr<OwnedFd> ResolveByKernel(FdRef root, absl::string_view path,
                                        const ResolveOptions& options) {
  const uint64_t resolve = ResolveFlags(options);
  const PathText text(path);
  absl::Time deadline = absl::InfiniteFuture();
  for (int attempt = 1;; ++attempt) {
    const int fd = OpenChecked(root.get(), text.c_str(), options, resolve);
    if (fd >= 0) return absl::StatusOr<OwnedFd>(absl::in_place, fd, DescribeInRoot(root, path));
    if (fd == kAskWalker) return WalkPath(root, path, options);
    if (fd != -EAGAIN) return ErrorOfKernel(-fd, root, path, options);
    const absl::Time now = absl::Now();
    if (attempt == 1) deadline = now + options.patience;
    if (attempt >= options.max_attempts || now >= deadline) {
      return ResolveError(EAGAIN, root, path, "");
    }
  }
}

// Why the caches answered with `error`; nullopt where they did not answer, or openat2 did not.
std::optional<absl::Status> ErrorOfCaches(int error, FdRef root, absl::string_view path,
                                          const ResolveOptions& options, uint64_t resolve) {
  // EINVAL: RESOLVE_CACHED is not known.
  if (error == EAGAIN || error == ENOSYS || error == EPERM || error == EINVAL) return std::nullopt;
  // The walker tells what kind of link or mount stopped it.
  if (error == ELOOP || error == EXDEV) return std::nullopt;
  const absl::string_view component = FailingComponent(root, path, error, options, resolve);
  // Dropped from the caches meanwhile: the walker will name it. Or what is missing is in the text
  // of a link, which the walker tells.
  if (component.empty() && !path.empty()) return std::nullopt;
  const bool may_be_link = !component.empty() && (error == ENOENT || error == ENOTDIR);
  if (may_be_link && !IsMissing(root, path, component, resolve)) return std::nullopt;
  return ResolveError(error, root, path, component);
}

}  // namespace

absl::StatusOr<OwnedFd> Resolve(FdRef root, absl::string_view path, const ResolveOptions& options) {
  if (absl::Status good = CheckPath(root, path); !good.ok()) return good;
  switch (options.backend) {
    case Backend::kOpenat2:
      return ResolveByKernel(root, path, options);
    case Backend::kWalker:
      return WalkPath(root, path, options);
    case Backend::kAuto:
      break;
  }
  const uint64_t resolve = ResolveFlags(options) | RESOLVE_CACHED;
  const int fd = OpenChecked(root.get(), PathText(path).c_str(), options, resolve);
  // The usual case, made where it is wanted.
  if (fd >= 0) return absl::StatusOr<OwnedFd>(absl::in_place, fd, DescribeInRoot(root, path));
  if (fd == kAskWalker) return WalkPath(root, path, options);
  if (auto known = ErrorOfCaches(-fd, root, path, options, resolve)) return *std::move(known);
  return WalkPath(root, path, options);
}

std::optional<absl::StatusOr<OwnedFd>> ResolveCached(FdRef root, absl::string_view path,
                                                     const ResolveOptions& options) {
  if (options.backend != Backend::kAuto) return std::nullopt;
  if (absl::Status good = CheckPath(root, path); !good.ok()) return good;
  // Where a mount is crossed at the path's end the kernel may ask the file system behind it, cached
  // or not; and only the walker asks options.gate.
  const uint64_t resolve = ResolveFlags(options) | RESOLVE_CACHED | RESOLVE_NO_XDEV;
  const int fd = OpenChecked(root.get(), PathText(path).c_str(), options, resolve);
  if (fd >= 0) return OwnedFd(fd, DescribeInRoot(root, path));
  if (fd == kAskWalker) return std::nullopt;
  return ErrorOfCaches(-fd, root, path, options, resolve);
}

}  // namespace nsctl::procfsroot
