// How a path is resolved below a root, and what a failure of it says.

#ifndef NSCTL_PROCFSROOT_RESOLVE_OPTIONS_H_
#define NSCTL_PROCFSROOT_RESOLVE_OPTIONS_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"

namespace nsctl::procfsroot {

// Who walks the path. All give the same answers; but for kAuto they are there for tests and
// benchmarks.
enum class Backend {
  // openat2(2) as long as the kernel can answer from its caches; the walker where it cannot, and
  // where openat2 is missing or forbidden, which is found out anew at each call: a seccomp filter
  // may begin to refuse at any time. Never starts an automount.
  kAuto,
  // openat2(2) alone. Starts automounts on its way, as every path walk of the kernel does.
  kOpenat2,
  // One component after the other by openat(2) with O_PATH | O_NOFOLLOW. Never starts an automount.
  kWalker,
};

// Asked before a file system is touched in a way that may block, with its device number; what it
// returns, if not OK, ends the walk.
using DeviceGate = std::function<absl::Status(dev_t device)>;

struct ResolveOptions {
  // False: a symlink that is the last component is the result, unless a slash follows it.
  bool follow_last = true;
  // Refuse (EXDEV) to cross a mount point, downward or by an absolute link. Before Linux 5.8 the
  // walker lets bind mounts of the root's own file system pass.
  bool same_mount = false;
  // Known: `root` is not on a procfs. Spares a call where no mount is crossed.
  bool root_is_no_procfs = false;
  // What a procfs has of this process, and its links "self" and "thread-self", may be the result:
  // for a root that is the caller's own.
  bool may_be_reader = false;
  Backend backend = Backend::kAuto;
  // A walk that a rename or mount disturbed is begun anew so often and so long.
  int max_attempts = 128;
  absl::Duration patience = absl::Milliseconds(100);
  // May be null. The walker alone asks it; must outlive the call.
  const DeviceGate* gate = nullptr;
};

// "ROOT/PATH", for messages and for the paths of descriptors.
std::string DescribeInRoot(base::FdRef root, absl::string_view path);

// As base::ErrnoStatus, where the C library's words for `error` would not tell what happened.
absl::Status ErrnoStatusInWords(int error, absl::string_view call, absl::string_view path,
                                absl::string_view words);

// The failure `error` of resolving `path`, at the component `component` of it (empty where that is
// not known): 'resolve ROOT/a/zzz/b: No such file or directory (ENOENT) at component "zzz"'.
// `reason` is what is known beyond that.
enum class ResolveReason {
  kNone,
  kMagicLink,
  kMountForbidsLinks,
  kMountPoint,
  kLinkToMount,
  kReader,
};
absl::Status ResolveError(int error, base::FdRef root, absl::string_view path,
                          absl::string_view component, ResolveReason reason = ResolveReason::kNone);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_RESOLVE_OPTIONS_H_
