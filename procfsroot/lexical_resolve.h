// Symlinks of a path in another root evaluated to a path, by string operations: for those who must
// have a string, compatible with the Go library procfsroot.
//
// UNSAFE FOR OPENING. The result says where the path led when it was looked at. Whoever controls
// the tree can put a symlink there before it is used, and a path put together from root and result
// is then resolved by the caller's own root: a way out of any container. Even the evaluation
// follows such links. What is to be opened, listed or connected to goes through Root (root.h); this
// is for display and for comparing with what other programs say.

#ifndef NSCTL_PROCFSROOT_LEXICAL_RESOLVE_H_
#define NSCTL_PROCFSROOT_LEXICAL_RESOLVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::procfsroot {

struct LexicalOptions {
  // What ".." does in the root directory.
  enum class DotDot {
    // Stays there, as in the kernel.
    kClamp,
    // Fails with EXDEV, as in procfsroot.
    kRefuse,
  };
  DotDot dot_dot = DotDot::kClamp;
  // False: the last component is neither followed nor looked at, and need not exist; but where a
  // slash or "/." follows it is not the last.
  bool follow_last = true;
};

// Evaluates `path` below the directory `root` (a path of the caller's, such as "/proc/7/root") and
// returns the result without `root`, absolute and clean. "" is "/", and a leading slash may be
// missing. ".." goes to the parent of what was resolved so far, as in the kernel. Unlike in the
// kernel 255 links are followed, and magic links are taken by their text.
//
// May block, and start automounts.
//
// Errors: those of lstat(2) and readlink(2), with the path they were called for ("lstat
// /proc/7/root/run/x: ..."); ENOTDIR where something follows what is no directory; ELOOP ("too many
// symlinks"); EXDEV ("no parent directory").
// Races: see above.
absl::StatusOr<std::string> LexicalResolve(absl::string_view path, const std::string& root,
                                           const LexicalOptions& options = {});

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_LEXICAL_RESOLVE_H_
