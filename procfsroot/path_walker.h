// Resolves a path below a root without openat2(2): the component walk behind path_resolver.h.
//
// Each component is opened by itself with O_PATH | O_NOFOLLOW, relative to the directory before it.
// A stack of the directories passed answers "..", so the walk never asks the kernel for a parent
// and cannot be led above the root by a directory that is moved meanwhile; symlinks are read and
// spliced into the path that is left. Rules that the kernel applies while it follows links are
// applied here: 40 links, no magic links, nosymfollow mounts, fs.protected_symlinks.

#ifndef NSCTL_PROCFSROOT_PATH_WALKER_H_
#define NSCTL_PROCFSROOT_PATH_WALKER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {

// As Resolve (path_resolver.h) with Backend::kWalker. Three system calls for each component.
//
// Errors beside Resolve's: EMFILE; what options.gate says.
// Races: where the path used "..", the walk checks at its end that it still is below the root, and
// begins anew if not; EAGAIN once the options' attempts or patience are used up.
absl::StatusOr<base::OwnedFd> WalkPath(base::FdRef root, absl::string_view path,
                                       const ResolveOptions& options);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PATH_WALKER_H_
