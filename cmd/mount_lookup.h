// Paths that users type, as mounts are told of.

#ifndef NSCTL_CMD_MOUNT_LOOKUP_H_
#define NSCTL_CMD_MOUNT_LOOKUP_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "mounttree/holding.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

struct LookedUpPath {
  // Stored text, absolute, without ".", ".." and, where the path leads somewhere, symlinks.
  std::string path;
  // Of a block device's file.
  std::optional<mounttree::Device> block_device;

  friend bool operator==(const LookedUpPath&, const LookedUpPath&) = default;
};

// `path` (bytes, absolute) as `root` has it, or as it stands where it leads nowhere there. Races:
// whoever owns the tree can change where it leads; the result is only compared.
LookedUpPath LookUpPath(const procfsroot::Root& root, absl::string_view path);

// The same without asking anybody.
LookedUpPath LexicalPath(absl::string_view path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_LOOKUP_H_
