#include "engines/container.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "engines/container.pb.h"

namespace nsctl::engines {
namespace {

View ViewOf(const Container& container, Engine::Type type) {
  View view;
  view.set_engine(container.engine());
  view.set_type(type);
  view.set_id(container.id());
  view.set_name(container.name());
  view.set_native_namespace(container.native_namespace());
  return view;
}

auto OrderOf(const Container& container) {
  return std::tie(container.engine(), container.native_namespace(), container.id());
}

// What the other engine knows and the nearer one does not.
void FillIn(const Container& other, Container* container) {
  if (container->cgroup().empty()) container->set_cgroup(other.cgroup());
  if (container->runtime().empty()) container->set_runtime(other.runtime());
  if (container->state() == Container::running && other.state() == Container::paused) {
    // Frozen below an interface that does not know of it.
    container->set_state(Container::paused);
  }
}

using Rank = std::tuple<int, absl::string_view, absl::string_view, absl::string_view>;

}  // namespace

ContainerId IdOf(const Container& container) {
  return {.native_namespace = container.native_namespace(), .id = container.id()};
}

int DistanceFromUser(Engine::Type type) {
  switch (type) {
    case Engine::docker:
    case Engine::podman:
    case Engine::incus:
    case Engine::lxd:
    case Engine::crio:
    case Engine::nspawn:
      return 0;
    case Engine::cri:
      return 1;
    case Engine::containerd:
      return 2;
    case Engine::lxc:
      return 3;
    default:
      return 4;
  }
}

bool IsAlive(Container::State state) {
  switch (state) {
    case Container::starting:
    case Container::running:
    case Container::pausing:
    case Container::paused:
    case Container::stopping:
      return true;
    default:
      return false;
  }
}

std::string TypeName(Engine::Type type) {
  return Engine::Type_IsValid(type) ? Engine::Type_Name(type) : "unknown";
}

std::string StateName(Container::State state) {
  return Container::State_IsValid(state) ? Container::State_Name(state) : "unknown";
}

std::string StateName(Engine::State state) {
  return Engine::State_IsValid(state) ? Engine::State_Name(state) : "unknown";
}

void SetLabel(absl::string_view name, absl::string_view value, Labels* labels) {
  const auto place = std::lower_bound(
      labels->begin(), labels->end(), name,
      [](const Label& label, absl::string_view wanted) { return label.name() < wanted; });
  if (place != labels->end() && place->name() == name) {
    place->set_value(std::string(value));
    return;
  }
  int position = static_cast<int>(std::distance(labels->begin(), place));
  Label* const added = labels->Add();
  added->set_name(std::string(name));
  added->set_value(std::string(value));
  for (int at = labels->size() - 1; at > position; --at) labels->SwapElements(at, at - 1);
}

const std::string* FindLabel(const Labels& labels, absl::string_view name) {
  for (const Label& label : labels) {
    if (label.name() == name) return &label.value();
  }
  return nullptr;
}

std::optional<ProjectMember> ProjectOf(const Labels& labels) {
  struct Tool {
    ProjectMember::Kind kind;
    const char* project;
    const char* service;
    const char* number;
  };
  static constexpr Tool kTools[] = {
      {ProjectMember::compose, "com.docker.compose.project", "com.docker.compose.service",
       "com.docker.compose.container-number"},
      {ProjectMember::podman_compose, "io.podman.compose.project", "io.podman.compose.service", ""},
      {ProjectMember::swarm, "com.docker.stack.namespace", "com.docker.swarm.service.name", ""},
  };
  for (const Tool& tool : kTools) {
    const std::string* const project = FindLabel(labels, tool.project);
    if (project == nullptr || project->empty()) continue;
    ProjectMember member;
    member.set_kind(tool.kind);
    member.set_project(*project);
    const std::string* const service = FindLabel(labels, tool.service);
    if (service != nullptr) member.set_service(*service);
    const std::string* const number = FindLabel(labels, tool.number);
    uint32_t value = 0;
    if (number != nullptr && absl::SimpleAtoi(*number, &value)) member.set_number(value);
    return member;
  }
  return std::nullopt;
}

bool IsDockers(const Container& container, const Engine& engine) {
  return engine.type() == Engine::containerd && container.native_namespace() == "moby";
}

void SortContainers(Containers* containers) {
  std::sort(containers->mutable_engines()->begin(), containers->mutable_engines()->end(),
            [](const Engine& a, const Engine& b) { return a.key() < b.key(); });
  std::sort(containers->mutable_containers()->begin(), containers->mutable_containers()->end(),
            [](const Container& a, const Container& b) { return OrderOf(a) < OrderOf(b); });
  std::sort(containers->mutable_pods()->begin(), containers->mutable_pods()->end(),
            [](const Pod& a, const Pod& b) {
              return std::tie(a.engine(), a.native_namespace(), a.id()) <
                     std::tie(b.engine(), b.native_namespace(), b.id());
            });
  std::sort(containers->mutable_gaps()->begin(), containers->mutable_gaps()->end(),
            [](const EngineGap& a, const EngineGap& b) {
              return std::tie(a.subject(), a.operation(), a.error()) <
                     std::tie(b.subject(), b.operation(), b.error());
            });
}

void MergeViews(Containers* containers) {
  SortContainers(containers);
  std::map<std::string, Engine::Type> types;
  for (const Engine& engine : containers->engines()) types[engine.key()] = engine.type();

  const auto rank = [&types](const Container& container) {
    return Rank(DistanceFromUser(types[container.engine()]), container.engine(),
                container.native_namespace(), container.id());
  };
  std::map<std::pair<int32_t, uint64_t>, std::vector<Container*>> by_process;
  google::protobuf::RepeatedPtrField<Container> merged;
  for (Container& container : *containers->mutable_containers()) {
    if (container.pid() == 0) {
      merged.Add()->Swap(&container);
    } else {
      by_process[{container.pid(), container.start_time()}].push_back(&container);
    }
  }
  for (auto& [process, group] : by_process) {
    std::sort(group.begin(), group.end(),
              [&rank](const Container* a, const Container* b) { return rank(*a) < rank(*b); });
    // Evidence is what is known without an engine.
    while (group.size() > 1 && types[group.back()->engine()] == Engine::evidence) group.pop_back();
    Container result = *group.front();
    result.clear_views();
    for (const Container* view : group) {
      if (group.size() > 1) *result.add_views() = ViewOf(*view, types[view->engine()]);
      FillIn(*view, &result);
    }
    merged.Add()->Swap(&result);
  }
  containers->mutable_containers()->Swap(&merged);
  SortContainers(containers);
}

void MergeStopped(Containers* containers) {
  std::map<std::string, const Engine*> engines;
  for (const Engine& engine : containers->engines()) engines[engine.key()] = &engine;
  // By the container that the engine runs in, and the id.
  using Place = std::tuple<std::string, std::string, std::string>;
  const auto place = [](const Container& container, const Engine& engine) {
    return Place(engine.parent(), engine.parent_container(), container.id());
  };
  std::set<Place> told;
  for (const Container& container : containers->containers()) {
    const auto engine = engines.find(container.engine());
    if (engine == engines.end()) continue;
    const Engine::Type type = engine->second->type();
    if (type == Engine::docker || type == Engine::cri) {
      told.insert(place(container, *engine->second));
    }
  }
  auto& all = *containers->mutable_containers();
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Container& container) {
                             const auto engine = engines.find(container.engine());
                             const std::string& where = container.native_namespace();
                             return container.pid() == 0 && !IsAlive(container.state()) &&
                                    engine != engines.end() &&
                                    engine->second->type() == Engine::containerd &&
                                    (where == "moby" || where == "k8s.io") &&
                                    told.count(place(container, *engine->second)) > 0;
                           }),
            all.end());
}

}  // namespace nsctl::engines
