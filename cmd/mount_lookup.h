// Paths that users type, as mounts are told of.

#ifndef NSCTL_CMD_MOUNT_LOOKUP_H_
#define NSCTL_CMD_MOUNT_LOOKUP_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mounttree/holding.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

struct LookedUpPath {
  // Stored text, absolute, without ".", ".." and, where the path leads somewhere, symlinks.
  std::string path;
  // Of a block device's file.
  std::optional<mounttree::Device> block_device = std::nullopt;
  // Nothing is there.
  bool is_missing = false;
  // A file system on the way did not say.
  bool is_unanswered = false;

  friend bool operator==(const LookedUpPath&, const LookedUpPath&) = default;
};

// `path` (bytes, absolute) as `root` has it, or as it stands where it leads nowhere there. Races:
// whoever owns the tree can change where it leads; the result is only compared.
LookedUpPath LookUpPath(const procfsroot::Root& root, absl::string_view path);

// The bytes that `argument`, stored text, stands for. UsageError where it is none.
absl::StatusOr<std::string> DecodeArgument(absl::string_view argument);

// The same without asking anybody.
LookedUpPath LexicalPath(absl::string_view path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_LOOKUP_H_
