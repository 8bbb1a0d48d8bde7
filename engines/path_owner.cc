#include "engines/path_owner.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engines/cgroup_place.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

// Cgroups may be nested as deep as who made them likes.
constexpr int kMaxDepth = 100;

}  // namespace

absl::StatusOr<uid_t> PathOwners::OwnerOf(const std::string& path) {
  if (absl::c_count(path, '/') > kMaxDepth) return base::ErrnoStatus(ENAMETOOLONG, "stat", path);
  const size_t slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty() || name == "." || name == "..") return base::ErrnoStatus(EINVAL, "stat", path);
  uid_t above = 0;
  if (slash != std::string::npos && slash > 0) {
    const std::string folder = path.substr(0, slash);
    auto known = folders_.find(folder);
    if (known == folders_.end()) known = folders_.emplace(folder, OwnerOf(folder)).first;
    NSCTL_ASSIGN_OR_RETURN(above, known->second);
  }
  NSCTL_ASSIGN_OR_RETURN(const struct statx found, root_.Stat(path, {.follow_last = false}));
  if (S_ISLNK(found.stx_mode)) return base::ErrnoStatus(ELOOP, "stat", path);
  if (above == 0 || found.stx_uid == above) return found.stx_uid;
  return found.stx_uid == 0 ? absl::StatusOr<uid_t>(above) : base::ErrnoStatus(EPERM, "stat", path);
}

std::optional<absl::StatusOr<uid_t>> PathOwners::OwnerOfCgroup(const CgroupPlace& place) {
  const absl::string_view controllers = absl::StripPrefix(place.name_controllers, "name=");
  std::vector<std::string> mounts = {absl::StrCat("/sys/fs/cgroup/", controllers)};
  // Beside the older hierarchies the unified one has a folder of its own.
  if (controllers.empty()) mounts = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
  for (const std::string& mount : mounts) {
    if (root_.Stat(mount).ok()) return OwnerOf(absl::StrCat(mount, place.name->path));
  }
  return std::nullopt;
}

}  // namespace nsctl::engines
