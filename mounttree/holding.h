// Which mounts keep a device, a super block or a path in use: the question behind EBUSY.
//
// A super block ends when its last mount in any namespace does. So a device that was unmounted here
// and is "busy" is mounted in another namespace; this finds where.

#ifndef NSCTL_MOUNTTREE_HOLDING_H_
#define NSCTL_MOUNTTREE_HOLDING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"

namespace nsctl::mounttree {

// st_dev of any file of a super block; st_rdev of a block device's node.
struct Device {
  uint32_t major = 0;
  uint32_t minor = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

// "8:1" -> {8, 1}. nullopt for anything else.
std::optional<Device> ParseDevice(absl::string_view text);

// A directory or file of a file system, wherever that is mounted.
struct FilePlace {
  Device device;
  // Stored text: the path from the file system's own root, as Mount::root.
  std::string path;
  friend bool operator==(const FilePlace&, const FilePlace&) = default;
};

// The row with this mount_id in `mounts`.
std::optional<uint32_t> FindMount(const MountNamespace& mounts, uint32_t mount_id);

// What a walk along `path` (stored text, absolute, without symlinks) finds in `mounts`, whose tree
// `tree` is. nullopt where no mount holds it.
std::optional<FilePlace> PlaceOf(const MountNamespace& mounts, const MountTree& tree,
                                 absl::string_view path);
// The same of a path on `mount`. nullopt where the mount is not above it.
std::optional<FilePlace> PlaceOn(const Mount& mount, absl::string_view path);

// A mount is found where any part of the query fits.
struct HoldingQuery {
  // Mounts of this super block.
  std::optional<Device> device = std::nullopt;
  // Stored text. Mounts that have it as their source or as their mount point.
  std::optional<std::string> path = std::nullopt;
  // Mounts whose root it is, or is below of it.
  std::optional<FilePlace> place = std::nullopt;
};

struct Holding {
  enum class Reason { kDevice, kSource, kMountPoint, kRoot, kBelowRoot };

  // Index into the namespaces searched, and of the row.
  uint32_t mount_namespace = 0;
  uint32_t row = 0;
  // The first of them that fits.
  Reason reason = Reason::kDevice;

  friend bool operator==(const Holding&, const Holding&) = default;
};

// The mounts in `namespaces` that fit, by namespace and row. One pass.
std::vector<Holding> FindHolding(const std::vector<const MountNamespace*>& namespaces,
                                 const HoldingQuery& query);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_HOLDING_H_
