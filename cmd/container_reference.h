// Names of containers, their pods and projects, as commands show them.

#ifndef NSCTL_CMD_CONTAINER_REFERENCE_H_
#define NSCTL_CMD_CONTAINER_REFERENCE_H_

#include <optional>
#include <string>

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

ContainerReference ReferenceTo(const ContainerLists& lists, const engines::Container& container);

// To the container that `process` of `snapshot` is in; nullopt where it is in none.
std::optional<ContainerReference> ContainerReferenceOf(const nsdisc::Snapshot& snapshot,
                                                       const nsdisc::Process& process);

// The name, after the native namespace where that is not the usual one: "web", "shop/web"; with
// " (paused)" behind it where it is.
std::string NameText(const ContainerReference& container);

// Whether `word` stands for the engine: its type, its key, or that without the start time
// ("docker", "docker:1234@5678", "docker:1234").
bool IsEngineWord(const std::string& word, const engines::Engine& engine);

// "docker"; empty where it is unknown.
std::string EngineText(const ContainerReference& container);

// "container web of docker", as stored text.
std::string LongText(const ContainerReference& container);

// "2025-01-01T00:00:00Z", without fractions.
std::string TimeText(const google::protobuf::Timestamp& time);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINER_REFERENCE_H_
