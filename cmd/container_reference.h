// Names of containers, their pods and projects, as commands show them.

#ifndef NSCTL_CMD_CONTAINER_REFERENCE_H_
#define NSCTL_CMD_CONTAINER_REFERENCE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "cmd/container_reference.pb.h"
#include "cmd/containers.pb.h"
#include "engines/container.h"
#include "google/protobuf/timestamp.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// What is known of engines, be it a snapshot's or engines::Containers. Borrows.
struct ContainerLists {
  ContainerLists(const nsdisc::Snapshot& snapshot)  // NOLINT(google-explicit-constructor)
      : engines(snapshot.engines()), containers(snapshot.containers()), pods(snapshot.pods()) {}
  ContainerLists(const engines::Containers& known)  // NOLINT(google-explicit-constructor)
      : engines(known.engines()), containers(known.containers()), pods(known.pods()) {}

  ContainerLists(const ContainerList& list)  // NOLINT(google-explicit-constructor)
      : engines(list.engines()), containers(list.containers()), pods(list.pods()) {}

  const google::protobuf::RepeatedPtrField<engines::Engine>& engines;
  const google::protobuf::RepeatedPtrField<engines::Container>& containers;
  const google::protobuf::RepeatedPtrField<engines::Pod>& pods;
};

// nullptr where there is none.
const engines::Engine* EngineOf(const ContainerLists& lists, const engines::Container& container);
const engines::Pod* PodOf(const ContainerLists& lists, const engines::Container& container);

// "default/web" for Kubernetes's, else the name, else the id.
std::string PodText(const engines::Pod& pod);

// ContainerReference.place. Who owns the container around an engine chose its name: one that may be
// taken for a project, a pod or an engine of the host is not used.
std::string PlaceOf(const ContainerLists& lists, const engines::Container& container);

ContainerReference ReferenceTo(const ContainerLists& lists, const engines::Container& container);

// To the container that `process` of `snapshot` is in; nullopt where it is in none.
std::optional<ContainerReference> ContainerReferenceOf(const nsdisc::Snapshot& snapshot,
                                                       const nsdisc::Process& process);

// The name, after the native namespace where that is not the usual one, and after the place: "web",
// "shop/web", "docker:1234/web".
std::string NameText(const ContainerReference& container);

// The type of engine whose container it is, where no engine tells of it: what a helper process of
// the host's, not in a container, shows. Empty where an engine tells, or nothing shows it.
std::string HelperTypeOf(const ContainerLists& lists, const engines::Container& container);

// Whether `word` stands for the engine: its type, its key, or that without the start time
// ("docker", "docker:1234@5678", "docker:1234").
bool IsEngineWord(const std::string& word, const engines::Engine& engine);

// "docker", of what has a place "docker:1234"; empty where it is unknown.
std::string EngineText(const ContainerReference& container);

// Behind an engine's name, whose it is: ", user 1000"; empty for the host's own, and those in a
// container.
std::string OwnerText(const engines::Engine& engine);

// "container web (paused) of docker", as stored text.
std::string LongText(const ContainerReference& container);

// The id of the container that the name of a control group holds: 64 hexadecimal digits, the last
// such word of `path`. Empty where there is none.
std::string ContainerIdIn(absl::string_view path);

// "2025-01-01T00:00:00Z", without fractions.
std::string TimeText(const google::protobuf::Timestamp& time);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINER_REFERENCE_H_
