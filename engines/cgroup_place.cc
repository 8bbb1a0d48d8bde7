#include "engines/cgroup_place.h"

#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "engines/cgroup_names.h"
#include "procfsroot/process_files.h"

namespace nsctl::engines {
namespace {

bool HasController(absl::string_view controllers, absl::string_view wanted) {
  for (const absl::string_view controller : absl::StrSplit(controllers, ',')) {
    if (controller == wanted) return true;
  }
  return false;
}

}  // namespace

CgroupPlace ParseCgroupPlace(absl::string_view text) {
  CgroupPlace place;
  std::string longest;
  (void)procfsroot::ParseCgroup(text, [&](const procfsroot::CgroupLine& line) {
    if (line.path == "/") return;
    if (!place.name.has_value()) {
      place.name = ParseCgroupName(line.path);
      if (place.name.has_value()) place.name_controllers = std::string(line.controllers);
    }
    if (line.hierarchy == 0) place.unified = std::string(line.path);
    if (HasController(line.controllers, "freezer")) place.freezer = std::string(line.path);
    if (line.path.size() > longest.size()) longest = std::string(line.path);
  });
  place.path = place.unified.empty() ? std::move(longest) : place.unified;
  return place;
}

}  // namespace nsctl::engines
