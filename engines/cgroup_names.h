// What the names of cgroups say of the containers whose processes are in them. Pure.

#ifndef NSCTL_ENGINES_CGROUP_NAMES_H_
#define NSCTL_ENGINES_CGROUP_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engines/container.h"

namespace nsctl::engines {

struct CgroupName {
  // Which engine names its cgroups so; unspecified where several do.
  Engine::Type type = Engine::unspecified;
  // Bytes, as the name has it.
  std::string id;
  // Kubernetes' uid of its pod; empty where it is in none.
  std::string pod_uid;
  // The path up to the container's own cgroup: the same for all of its processes.
  std::string path;

  friend bool operator==(const CgroupName&, const CgroupName&) = default;
};

// The innermost container that `path`, a path in a hierarchy, is named for; nullopt where there is
// none. Known are the names that Docker, Podman, containerd's and CRI-O's Kubernetes interfaces,
// nerdctl, LXC and systemd-machined give, with cgroups made by systemd or without, and any cgroup
// that is named by 64 hexadecimal digits.
std::optional<CgroupName> ParseCgroupName(absl::string_view path);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CGROUP_NAMES_H_
