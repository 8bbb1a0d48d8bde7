#include "cmd/container_reference.h"

#include <cstddef>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/evidence.h"
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

std::string ShortKey(const std::string& key) { return key.substr(0, key.find('@')); }

// Of one word, and neither a number nor a path.
bool IsWord(const std::string& name) {
  const auto is_plain = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name[0] != '.' && absl::c_all_of(name, is_plain) &&
         !absl::c_all_of(name, absl::ascii_isdigit);
}

// Whether `word` before a slash means something on the host: an engine, or where one of its
// containers is.
bool IsTaken(const ContainerLists& lists, const std::string& word) {
  Engine::Type type;
  if (Engine::Type_Parse(word, &type)) return true;
  const auto is_around = [&](const Container& one) {
    return one.native_namespace() == word || one.project().project() == word;
  };
  return absl::c_any_of(lists.containers, is_around) ||
         absl::c_any_of(lists.pods, [&](const Pod& pod) {
           return pod.name() == word || pod.kubernetes_namespace() == word;
         });
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

std::string PlaceOf(const ContainerLists& lists, const Container& container) {
  const Engine* const engine = EngineOf(lists, container);
  if (engine == nullptr) return "";
  if (engine->parent_container().empty()) {
    return engine->foreign() || container.foreign() ? ShortKey(engine->key()) : "";
  }
  const auto outer = absl::c_find_if(lists.containers, [&](const Container& one) {
    return one.engine() == engine->parent() && one.id() == engine->parent_container();
  });
  const bool is_named =
      outer != lists.containers.end() && IsWord(outer->name()) && !IsTaken(lists, outer->name());
  return is_named ? outer->name() : ShortKey(engine->key());
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
  reference.set_place(PlaceOf(lists, container));
  return reference;
}

std::optional<ContainerReference> ContainerReferenceOf(const nsdisc::Snapshot& snapshot,
                                                       const nsdisc::Process& process) {
  const Container* const container = nsdisc::ContainerOf(snapshot, process);
  if (container == nullptr) return std::nullopt;
  return ReferenceTo(snapshot, *container);
}

std::string NameText(const ContainerReference& container) {
  std::string text = container.name();
  if (!IsUsual(container.native_namespace())) {
    text = absl::StrCat(container.native_namespace(), "/", text);
  }
  return container.place().empty() ? text : absl::StrCat(container.place(), "/", text);
}

std::string HelperTypeOf(const ContainerLists& lists, const Container& container) {
  const Engine* const engine = EngineOf(lists, container);
  if (engine == nullptr || engine->type() != Engine::evidence ||
      !engine->parent_container().empty())
    return "";
  const std::string* const type =
      engines::FindLabel(container.annotations(), engines::kEngineAnnotation);
  return type == nullptr ? "" : *type;
}

bool IsEngineWord(const std::string& word, const Engine& engine) {
  const std::string& key = engine.key();
  return word == engines::TypeName(engine.type()) || word == key || word == ShortKey(key);
}

std::string EngineText(const ContainerReference& container) {
  if (container.engine_type() == Engine::unspecified) return "";
  return container.place().empty() ? engines::TypeName(container.engine_type())
                                   : ShortKey(container.engine());
}

std::string OwnerText(const Engine& engine) {
  if (!engine.foreign() || !engine.parent_container().empty()) return "";
  if (engine.has_uid() && engine.uid() != 0) return absl::StrCat(", user ", engine.uid());
  return ", in namespaces of its own";
}

std::string ContainerIdIn(absl::string_view path) {
  constexpr size_t kIdDigits = 64;
  std::string id;
  for (size_t i = 0; i < path.size();) {
    size_t end = i;
    while (end < path.size() && absl::ascii_isxdigit(path[end])) ++end;
    if (end - i == kIdDigits) id = std::string(path.substr(i, end - i));
    i = end + 1;
  }
  return id;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string LongText(const ContainerReference& container) {
  const std::string engine = EngineText(container);
  return absl::StrCat("container ", NameText(container),
                      container.state() == Container::paused ? " (paused)" : "",
                      engine.empty() ? "" : " of ", engine);
}

}  // namespace nsctl::cmd
