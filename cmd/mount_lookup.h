// Paths that users type, as mounts are told of.

#ifndef NSCTL_CMD_MOUNT_LOOKUP_H_
#define NSCTL_CMD_MOUNT_LOOKUP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mounttree/holding.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

struct LookedUpPath {
  // Stored text, absolute, without ".", ".." and, where the path leads somewhere, symlinks: as
  // mounts have it, from the root of their namespace.
  std::string path;
  // Of the mount that it is on. Absent where nobody was asked, or the kernel does not tell (before
  // Linux 5.8).
  std::optional<uint32_t> mount_id = std::nullopt;
  // Of a block device's file.
  std::optional<mounttree::Device> block_device = std::nullopt;
  // Why it was not found. OK where nobody was asked.
  absl::Status error = absl::OkStatus();

  // Nothing is there.
  bool is_missing() const;
  // A file system on the way did not say.
  bool is_unanswered() const;

  friend bool operator==(const LookedUpPath&, const LookedUpPath&) = default;
};

// `path` (bytes, absolute) as `root` has it, or as it stands where it leads nowhere there. Races:
// whoever owns the tree can change where it leads; the result is only compared. `mount_id` belongs
// to what was found, whatever it is called by now.
LookedUpPath LookUpPath(const procfsroot::Root& root, absl::string_view path);

// The bytes that `argument`, stored text, stands for. UsageError where it is none.
absl::StatusOr<std::string> DecodeArgument(absl::string_view argument);

// The same without asking anybody.
LookedUpPath LexicalPath(absl::string_view path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_LOOKUP_H_
