// One step of an entry plan (entry_plan.h): a namespace, and what is known about entering it.

#ifndef NSCTL_NSENTRY_ENTRY_STEP_H_
#define NSCTL_NSENTRY_ENTRY_STEP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::nsentry {

// What stands in the way of a step.
struct Obstacle {
  // The capability that is missing, 0 where it is something else.
  int capability = 0;
  // Where it is missing; absent where that is not in the caller's reach.
  std::optional<uint32_t> user_namespace = std::nullopt;
  // For people: "needs CAP_SYS_ADMIN in user:[4026531837]".
  std::string text = "";
};

struct EntryStep {
  base::NamespaceType type;
  // Where it was found, for people.
  std::string origin = "";
  // Not known of a late path.
  std::optional<base::NamespaceId> wanted = std::nullopt;
  // The caller's own of that type; inode 0 where the kernel has none.
  uint32_t current = 0;
  // It is the namespace of the plan's process.
  bool of_process = false;
  // Inode of the owning user namespace, for a user namespace its parent; absent outside of reach.
  std::optional<uint32_t> owner = std::nullopt;
  std::vector<Obstacle> obstacles = {};
  base::OwnedFd fd = {};
  // Opened just before the step; empty where `fd` is open.
  std::string late_path = "";
};

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTRY_STEP_H_
