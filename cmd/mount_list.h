// From the mounts of mount namespaces to what `nsctl mounts` answers.

#ifndef NSCTL_CMD_MOUNT_LIST_H_
#define NSCTL_CMD_MOUNT_LIST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/mount_filter.h"
#include "cmd/mounts.pb.h"
#include "mounttree/holding.h"
#include "mounttree/mount.pb.h"

namespace nsctl::cmd {

struct ScannedMounts {
  mounttree::MountNamespace mounts;
  // What is known of the namespace besides; the rest is filled from `mounts`.
  MountNamespaceInfo info;
  // False: only what its mounts have to do with those of others is asked for.
  bool shown = true;
};

struct MountSelection {
  MountFilter filter = {};
  // Only the mount that holds this path, as a walk along it finds it. Stored text, absolute,
  // without symlinks.
  std::optional<std::string> holder_of = std::nullopt;
  // That mount, where it is known, whatever is at the path by now.
  std::optional<uint32_t> holder_id = std::nullopt;
  // Only mounts at this path, the hidden ones too.
  std::optional<std::string> mount_point = std::nullopt;
  // Only mounts that fit.
  std::optional<mounttree::HoldingQuery> holding = std::nullopt;
  // What lies on the chosen mounts as well, whatever the filter says of it.
  bool submounts = false;
  // Fills peer_groups, and, with holder_of or mount_point, what the rows reach.
  bool propagation = false;
};

// `scanned` by inode. Errors: NOT_FOUND where no mount is at `mount_point` or holds `holder_of`.
absl::StatusOr<MountList> BuildMountList(std::vector<ScannedMounts> scanned,
                                         const MountSelection& selection);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_LIST_H_
