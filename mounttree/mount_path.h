// Paths of mounts as text: absolute, without ".", ".." and doubled slashes, as the kernel writes
// them. They are compared, never resolved.

#ifndef NSCTL_MOUNTTREE_MOUNT_PATH_H_
#define NSCTL_MOUNTTREE_MOUNT_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::mounttree {

// True where `path` is `directory` or below it: "/a/b" is below "/a" and "/", "/ab" not below "/a".
bool IsAtOrBelow(absl::string_view path, absl::string_view directory);

// An order in which everything below a directory follows it at once: "/a", "/a/b", "/a-b". Negative
// where `a` is before `b`, 0 where they are the same.
int ComparePaths(absl::string_view a, absl::string_view b);

// `path`, which is at or below `from`, moved to below `to`: ("/mnt/a", "/mnt", "/") is "/a".
std::string MovePath(absl::string_view path, absl::string_view from, absl::string_view to);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_PATH_H_
