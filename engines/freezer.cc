#include "engines/freezer.h"

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "engines/cgroup_place.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

constexpr size_t kMaxFreezerFile = 4096;

}  // namespace

std::optional<procfsroot::Root> HostRoot(const procfsroot::Procfs& procfs) {
  absl::StatusOr<procfsroot::Root> root = procfsroot::Root::OfProcess(procfs, base::Pid{1});
  if (!root.ok()) root = procfsroot::Root::OfPath("/");
  if (!root.ok()) return std::nullopt;
  return *std::move(root);
}

bool Freezer::IsFrozen(const CgroupPlace& place) const {
  if (!host_.has_value()) return false;
  const auto read = [this](const std::string& path) {
    const absl::StatusOr<std::string> text = host_->ReadFile(path, kMaxFreezerFile);
    return text.ok() ? *text : "";
  };
  if (!place.freezer.empty()) {
    return absl::StartsWith(
        read(absl::StrCat("/sys/fs/cgroup/freezer", place.freezer, "/freezer.state")), "FR");
  }
  if (place.unified.empty()) return false;
  const std::string file = absl::StrCat(place.unified, "/cgroup.events");
  return absl::StrContains(read(absl::StrCat("/sys/fs/cgroup", file)), "frozen 1");
}

}  // namespace nsctl::engines
