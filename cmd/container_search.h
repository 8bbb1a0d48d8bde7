// From a container target to the container that it names.

#ifndef NSCTL_CMD_CONTAINER_SEARCH_H_
#define NSCTL_CMD_CONTAINER_SEARCH_H_

#include <string>

#include "absl/status/statusor.h"
#include "cmd/container_reference.h"
#include "cmd/target.h"

namespace nsctl::cmd {

// Whether `target` names a container, by name or id.
bool IsContainer(const Target& target);

// The container that `target`, which names one, means. The last word of it is a name or 12 or more
// digits of an id, or else the service in a project; each word before a slash is the type or key
// of the engine, the project, the pod, its Kubernetes namespace, or the engine's own namespace.
// What other engines call the same container counts too. Of several with the name those with a
// process are meant. Containers of an engine that is in a container are meant only after the name
// or id of that one ("dind/web"), what is known by evidence alone after "evidence"; and those of a
// foreign engine (Engine.foreign) after its key, or where no engine of the host has such a
// container and all have told.
//
// Errors: NOT_FOUND, with the engines that did not tell; INVALID_ARGUMENT where several are meant,
// which lists them. Messages are safe for a terminal.
absl::StatusOr<const engines::Container*> FindContainer(const ContainerLists& lists,
                                                        const Target& target);

// Whether `found`, which FindContainer has for `target`, is a foreign engine's and meant only if
// the host has no such container that does not run.
bool IsOnlyForeign(const ContainerLists& lists, const Target& target,
                   const engines::Container& found);

// "podman:1234@5678 of user 1000": whose container it is that is a foreign engine's. Safe for a
// terminal.
std::string DescribeEngineOf(const ContainerLists& lists, const engines::Container& container);

struct Doubt {
  // Safe for a terminal; empty where there is none.
  std::string text = "";
  // How a target names what was found, beyond doubt.
  std::string instead = "";
  // There is another one of that name, as processes show, that no engine tells of.
  bool has_rival = false;
};
// Why `found`, which FindContainer has for `target`, may not be the only one: an engine of the host
// did not tell its containers. No doubt of an id.
Doubt DoubtAbout(const ContainerLists& lists, const Target& target,
                 const engines::Container& found);

// What is known of it by its processes alone, where an engine of the host did not tell and no
// container that one tells of is meant: the only one of the host, not of a container, that fits,
// and that such an engine can have. What a user shows is never taken for it, and makes the same
// name of another doubtful. nullptr where there is none.
const engines::Container* FindByEvidence(const ContainerLists& lists, const Target& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINER_SEARCH_H_
