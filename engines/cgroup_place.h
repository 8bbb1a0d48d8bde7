// Where a process is in the cgroup hierarchies, as far as containers are told by that. Pure.

#ifndef NSCTL_ENGINES_CGROUP_PLACE_H_
#define NSCTL_ENGINES_CGROUP_PLACE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engines/cgroup_names.h"

namespace nsctl::engines {

// What one content of /proc/PID/cgroup says; many processes share it. Paths are bytes.
struct CgroupPlace {
  // The container that it is named for; nullopt where it is named for none.
  std::optional<CgroupName> name;
  // The hierarchy that has it, by its controllers; empty for the unified one.
  std::string name_controllers;
  // The unified hierarchy's path, or the longest of all others.
  std::string path;
  // Of the hierarchies that can freeze processes; empty where it is the root.
  std::string freezer;
  std::string unified;

  friend bool operator==(const CgroupPlace&, const CgroupPlace&) = default;
};

// What stands before a malformed line counts.
CgroupPlace ParseCgroupPlace(absl::string_view text);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CGROUP_PLACE_H_
