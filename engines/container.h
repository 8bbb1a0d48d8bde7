// The value type of containers: what all engines fill and all users read. Nothing here talks to
// anything.
//
// The messages are those of container.proto; here is what belongs to them and a schema cannot say:
// the order of lists, which states are alive, how views of one process become one container, and
// what labels say about projects.

#ifndef NSCTL_ENGINES_CONTAINER_H_
#define NSCTL_ENGINES_CONTAINER_H_

#include <compare>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "engines/container.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::engines {

using Labels = google::protobuf::RepeatedPtrField<Label>;

// A container among those of one engine.
struct ContainerId {
  std::string native_namespace;
  std::string id;

  friend bool operator==(const ContainerId&, const ContainerId&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const ContainerId&, const ContainerId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const ContainerId& id) {
    return H::combine(std::move(h), id.native_namespace, id.id);
  }
};

ContainerId IdOf(const Container& container);

// It has an initial process, which runs or is frozen.
bool IsAlive(Container::State state);

// From the user down to the process: 0 for engines that people use themselves, more for those
// below. Kubernetes' interface is above the runtime that serves it.
int DistanceFromUser(Engine::Type type);

// "docker", "paused": the schema's words. "unknown" for numbers that a newer schema may know.
std::string TypeName(Engine::Type type);
std::string StateName(Container::State state);
std::string StateName(Engine::State state);

// Sets `name` to `value`, keeping the order by name.
void SetLabel(absl::string_view name, absl::string_view value, Labels* labels);
// The value of the label `name`; nullptr where there is none. It lives as long as `labels`.
const std::string* FindLabel(const Labels& labels, absl::string_view name);

// What the labels of Compose (of Docker, nerdctl, podman-compose) and Swarm say; nullopt where they
// say nothing. Labels are the word of whoever made the container.
std::optional<ProjectMember> ProjectOf(const Labels& labels);

// Whether `engine` tells of `container` only because a Docker daemon has it run there.
bool IsDockers(const Container& container, const Engine& engine);

// Puts all lists into their stated orders.
void SortContainers(Containers* containers);

// Makes one container of all that have the same initial process: the one of the engine nearest to
// the user, with the others as its views. Evidence is no view where an engine tells. Containers
// without a process stay as they are. `sort`ed before and after.
void MergeViews(Containers* containers);

// Leaves out containers that do not run and that containerd tells of only because Docker or
// Kubernetes has them there, where those, in the same place, tell of them too: without a process
// only the id says that they are one.
void MergeStopped(Containers* containers);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CONTAINER_H_
