#include "mounttree/holding.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_path.h"
#include "mounttree/mount_tree.h"
#include "mounttree/mountinfo.h"

namespace nsctl::mounttree {
namespace {

using Reason = Holding::Reason;

bool IsOn(const Mount& mount, const Device& device) {
  return mount.device_major() == device.major && mount.device_minor() == device.minor;
}

std::optional<Reason> WhyHolding(const Mount& mount, const HoldingQuery& query) {
  if (query.device.has_value() && IsOn(mount, *query.device)) return Reason::kDevice;
  if (query.path.has_value()) {
    if (mount.has_source() && mount.source() == *query.path) return Reason::kSource;
    if (mount.has_mount_point() && mount.mount_point() == *query.path) return Reason::kMountPoint;
  }
  if (query.place.has_value() && IsOn(mount, query.place->device)) {
    if (mount.root() == query.place->path) return Reason::kRoot;
    if (IsAtOrBelow(mount.root(), query.place->path)) return Reason::kBelowRoot;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Device> ParseDevice(absl::string_view text) {
  Device device;
  if (!ParseDeviceNumber(text, &device.major, &device.minor)) return std::nullopt;
  return device;
}

std::optional<FilePlace> PlaceOf(const MountNamespace& mounts, const MountTree& tree,
                                 absl::string_view path) {
  const std::optional<uint32_t> row = tree.FindHolder(path);
  if (!row.has_value()) return std::nullopt;
  return PlaceOn(mounts.mounts(static_cast<int>(*row)), path);
}

std::optional<FilePlace> PlaceOn(const Mount& mount, absl::string_view path) {
  if (!IsAtOrBelow(path, mount.mount_point())) return std::nullopt;
  return FilePlace{{mount.device_major(), mount.device_minor()},
                   MovePath(path, mount.mount_point(), mount.root())};
}

std::optional<uint32_t> FindMount(const MountNamespace& mounts, uint32_t mount_id) {
  for (int row = 0; row < mounts.mounts_size(); ++row) {
    if (mounts.mounts(row).mount_id() == mount_id) return static_cast<uint32_t>(row);
  }
  return std::nullopt;
}

std::vector<Holding> FindHolding(const std::vector<const MountNamespace*>& namespaces,
                                 const HoldingQuery& query) {
  std::vector<Holding> holdings;
  for (uint32_t i = 0; i < namespaces.size(); ++i) {
    for (int row = 0; row < namespaces[i]->mounts_size(); ++row) {
      const std::optional<Reason> reason = WhyHolding(namespaces[i]->mounts(row), query);
      if (reason.has_value()) holdings.push_back({i, static_cast<uint32_t>(row), *reason});
    }
  }
  return holdings;
}

}  // namespace nsctl::mounttree
