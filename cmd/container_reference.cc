#include "cmd/container_reference.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nsdisc/containers.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;
using engines::Pod;

// Which nobody names: those in which each engine keeps what users make.
bool IsUsual(const std::string& native_namespace) {
  return native_namespace.empty() || native_namespace == "default" || native_namespace == "k8s.io";
}

}  // namespace

const Engine* EngineOf(const ContainerLists& lists, const Container& container) {
  const auto found = absl::c_find_if(
      lists.engines, [&](const Engine& engine) { return engine.key() == container.engine(); });
  return found == lists.engines.end() ? nullptr : &*found;
}

const Pod* PodOf(const ContainerLists& lists, const Container& container) {
  if (container.pod().empty()) return nullptr;
  const auto found = absl::c_find_if(lists.pods, [&](const Pod& pod) {
    return pod.id() == container.pod() && pod.engine() == container.engine() &&
           pod.native_namespace() == container.native_namespace();
  });
  return found == lists.pods.end() ? nullptr : &*found;
}

std::string PodText(const Pod& pod) {
  const std::string& name = pod.name().empty() ? pod.id() : pod.name();
  return pod.kubernetes_namespace().empty() ? name
                                            : absl::StrCat(pod.kubernetes_namespace(), "/", name);
}

ContainerReference ReferenceTo(const ContainerLists& lists, const Container& container) {
  ContainerReference reference;
  reference.set_name(container.name().empty() ? container.id() : container.name());
  reference.set_id(container.id());
  reference.set_native_namespace(container.native_namespace());
  reference.set_state(container.state());
  reference.set_image(container.image());
  reference.set_engine(container.engine());
  const Engine* const engine = EngineOf(lists, container);
  if (engine != nullptr) reference.set_engine_type(engine->type());
  reference.set_project(container.project().project());
  reference.set_service(container.project().service());
  const Pod* const pod = PodOf(lists, container);
  if (pod != nullptr) reference.set_pod(PodText(*pod));
  return reference;
}

std::optional<ContainerReference> ContainerReferenceOf(const nsdisc::Snapshot& snapshot,
                                                       const nsdisc::Process& process) {
  const Container* const container = nsdisc::ContainerOf(snapshot, process);
  if (container == nullptr) return std::nullopt;
  return ReferenceTo(snapshot, *container);
}

std::string NameText(const ContainerReference& container) {
  return absl::StrCat(IsUsual(container.native_namespace()) ? "" : container.native_namespace(),
                      IsUsual(container.native_namespace()) ? "" : "/", container.name(),
                      container.state() == Container::paused ? " (paused)" : "");
}

bool IsEngineWord(const std::string& word, const Engine& engine) {
  const std::string& key = engine.key();
  return word == engines::TypeName(engine.type()) || word == key ||
         word == key.substr(0, key.find('@'));
}

std::string EngineText(const ContainerReference& container) {
  if (container.engine_type() == Engine::unspecified) return "";
  return engines::TypeName(container.engine_type());
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string LongText(const ContainerReference& container) {
  const std::string engine = EngineText(container);
  return absl::StrCat("container ", NameText(container), engine.empty() ? "" : " of ", engine);
}

}  // namespace nsctl::cmd
