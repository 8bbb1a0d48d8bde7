// The helper processes that engines leave beside each container, and what their command lines say
// of it. Pure.

#ifndef NSCTL_ENGINES_HELPER_PROCESSES_H_
#define NSCTL_ENGINES_HELPER_PROCESSES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engines/container.h"

namespace nsctl::engines {

// Children of the process are initial processes of containers. All text is bytes.
struct HelperProcess {
  // Whose helper it is.
  Engine::Type type = Engine::unspecified;
  // Of the container, or of the first one of a pod.
  std::string id = "";
  // Empty where it has none of its own.
  std::string name = "";
  // containerd's namespace.
  std::string native_namespace = "";
  // One helper may serve a whole pod.
  bool serves_many = false;

  friend bool operator==(const HelperProcess&, const HelperProcess&) = default;
};

// `name` is the process's (its first 15 bytes); `arguments` its command line. nullopt for other
// processes, and for helpers of a command that was added to a container.
std::optional<HelperProcess> ParseHelper(absl::string_view name,
                                         absl::Span<const std::string> arguments);

// Whether arguments are worth reading: most processes are no helpers.
bool MayBeHelper(absl::string_view name);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_HELPER_PROCESSES_H_
