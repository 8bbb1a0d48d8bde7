#include "engines/decorators.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engines/container_decorators.h"

namespace nsctl::engines {
namespace {

constexpr char kKubernetesNamespace[] = "k8s.io";
constexpr size_t kMaxNesting = 32;

std::string LxknsType(Engine::Type type) {
  switch (type) {
    case Engine::docker:
      return "docker.com";
    case Engine::podman:
      return "podman.io";
    case Engine::containerd:
      return "containerd.io";
    case Engine::cri:
      return "k8s.io/cri-api";
    case Engine::crio:
      return "cri-o.io";
    case Engine::incus:
    case Engine::lxd:
    case Engine::lxc:
      return absl::StrCat("linuxcontainers.org/", TypeName(type));
    default:
      return TypeName(type);
  }
}

class Decorator {
 public:
  explicit Decorator(const Containers& known) : known_(known) {
    for (const Engine& engine : known.engines()) engines_[engine.key()] = &engine;
    for (const Container& container : known.containers()) {
      containers_[{container.engine(), container.id()}] = &container;
    }
    for (const Pod& pod : known.pods()) {
      pods_[{pod.engine(), pod.native_namespace(), pod.id()}] = &pod;
    }
  }

  Decorations Decorate() {
    for (const Container& container : known_.containers()) {
      if (container.pid() > 0) AddContainer(container);
    }
    PlaceEngines();
    PlaceGroups();
    return std::move(result_);
  }

 private:
  // An engine's key, and whether it is the part of it that serves Kubernetes.
  using EngineKey = std::pair<std::string, bool>;
  // Engine, type and name.
  using GroupKey = std::tuple<EngineKey, std::string, std::string>;

  const Engine& EngineOf(const std::string& key) const {
    const auto found = engines_.find(key);
    return found == engines_.end() ? Engine::default_instance() : *found->second;
  }

  void AddContainer(const Container& container) {
    const Engine& engine = EngineOf(container.engine());
    const bool serves_kubernetes =
        engine.type() == Engine::containerd && container.native_namespace() == kKubernetesNamespace;
    DecoratedContainer decorated{.container = &container, .engine = kNoEngine};
    decorated.type = LxknsType(serves_kubernetes ? Engine::cri : engine.type());
    decorated.flavor = decorated.type;
    SetNames(engine, serves_kubernetes, &decorated);
    SetLabels(engine, &decorated);
    const int index = static_cast<int>(result_.containers.size());
    const EngineKey key(container.engine(), serves_kubernetes);
    members_[key].push_back(index);
    SetFlavor(&decorated);
    SetGroups(key, index, decorated);
    result_.containers.push_back(std::move(decorated));
  }

  static void SetNames(const Engine& engine, bool serves_kubernetes,
                       DecoratedContainer* decorated) {
    const Container& container = *decorated->container;
    std::string prefix;
    const std::string& ns = container.native_namespace();
    if (engine.type() == Engine::containerd && !serves_kubernetes && ns != "default" &&
        !ns.empty()) {
      prefix = absl::StrCat(ns, "/");
    }
    decorated->id = absl::StrCat(prefix, container.id());
    // A sandbox has no name but its id.
    const bool is_unnamed = container.name().empty() || (container.sandbox() && !InPodman(engine));
    // Ids of Incus and LXD are those of no other project; names may be.
    if (HasProjects(engine) && ns != "default") prefix = absl::StrCat(ns, "/");
    decorated->name = absl::StrCat(prefix, is_unnamed ? container.id() : container.name());
  }

  static bool HasProjects(const Engine& engine) {
    return engine.type() == Engine::incus || engine.type() == Engine::lxd;
  }

  static bool InPodman(const Engine& engine) { return engine.type() == Engine::podman; }

  void SetLabels(const Engine& engine, DecoratedContainer* decorated) {
    const Container& container = *decorated->container;
    LabelMap& labels = decorated->labels;
    for (const Label& label : container.labels()) labels[label.name()] = label.value();
    const auto pod =
        pods_.find({container.engine(), container.native_namespace(), container.pod()});
    if (pod != pods_.end() && InPodman(engine)) {
      AddPodmanPodLabels(container, *pod->second, &labels);
    } else if (pod != pods_.end()) {
      for (const Label& one : container.annotations()) {
        labels.emplace(absl::StrCat("io.kubernetes.annotation/", one.name()), one.value());
      }
      AddPodLabels(container, *pod->second, &labels);
    }
    if (engine.type() == Engine::docker) {
      AddDockershimLabels(container.name(), &labels);
      if (container.privileged()) labels["github.com/thediveo/whalewatcher/moby/privileged"] = "";
    }
    AddDevcontainerLabels(&labels);
    labels["turtlefinder/container/prefix"] = PrefixOf(engine);
  }

  // The names of the containers that the engine is in, the outermost first: "a/b".
  std::string PrefixOf(const Engine& engine) const {
    std::string prefix;
    const Engine* at = &engine;
    for (size_t depth = 0; !at->parent().empty() && depth < kMaxNesting; ++depth) {
      const auto outer = containers_.find({at->parent(), at->parent_container()});
      if (outer == containers_.end()) break;
      prefix = absl::StrCat(outer->second->name(), prefix.empty() ? "" : "/", prefix);
      at = &EngineOf(at->parent());
    }
    return prefix;
  }

  static void SetFlavor(DecoratedContainer* decorated) {
    const std::optional<std::string> plugin = DockerPluginName(*decorated->container);
    if (plugin.has_value()) {
      decorated->flavor = kDockerPlugin;
      decorated->name = *plugin;
      decorated->labels["plugin.docker.com/name"] = *plugin;
    }
    const std::optional<std::string> edge = EdgeFlavor(*decorated->container);
    if (edge.has_value()) decorated->flavor = *edge;
  }

  void SetGroups(const EngineKey& engine, int container, const DecoratedContainer& decorated) {
    const auto add = [&](const char* type, const std::string& name) {
      groups_[GroupKey(engine, type, name)].push_back(container);
    };
    const auto label = [&](const char* name) {
      const auto found = decorated.labels.find(name);
      return found == decorated.labels.end() ? "" : found->second;
    };
    const std::string project = label(kComposeProject);
    if (!project.empty()) add(kComposeProject, project);
    const std::optional<std::string> pod = PodInLabels(decorated.labels);
    if (pod.has_value()) add(kKubernetesPod, *pod);
    const std::string podman = label(kPodmanPodName);
    if (InPodman(EngineOf(engine.first)) && !podman.empty()) add(kPodmanPod, podman);
    const std::string cluster = label(kKindCluster);
    if (!cluster.empty()) add(kKindCluster, cluster);
    if (HasProjects(EngineOf(engine.first))) {
      add(kIncusProject, decorated.container->native_namespace());
    }
  }

  void PlaceEngines() {
    for (auto& [key, members] : members_) {
      const int index = static_cast<int>(result_.engines.size());
      for (const int member : members) result_.containers[member].engine = index;
      const Engine& engine = EngineOf(key.first);
      result_.engines.push_back(
          {&engine, LxknsType(key.second ? Engine::cri : engine.type()), kNoEngine, members});
    }
    for (DecoratedEngine& one : result_.engines) {
      const Engine& inner = *one.engine;
      if (inner.parent().empty()) continue;
      const auto outer = std::find_if(
          result_.engines.begin(), result_.engines.end(), [&](const DecoratedEngine& other) {
            return other.engine->key() == inner.parent() &&
                   std::any_of(other.containers.begin(), other.containers.end(), [&](int at) {
                     return result_.containers[at].container->id() == inner.parent_container();
                   });
          });
      if (outer != result_.engines.end()) {
        one.parent = static_cast<int>(outer - result_.engines.begin());
      }
    }
  }

  void PlaceGroups() {
    for (auto& [key, members] : groups_) {
      const int index = static_cast<int>(result_.groups.size());
      ContainerGroup group{std::get<2>(key), std::get<1>(key), std::get<1>(key)};
      for (const int member : members) {
        DecoratedContainer& container = result_.containers[member];
        container.groups.push_back(index);
        if (container.flavor == kEdgeApp && group.type == kComposeProject) group.flavor = kEdgeApp;
      }
      group.containers = std::move(members);
      result_.groups.push_back(std::move(group));
    }
  }

  const Containers& known_;
  std::map<std::string, const Engine*> engines_;
  std::map<std::pair<std::string, std::string>, const Container*> containers_;
  std::map<std::tuple<std::string, std::string, std::string>, const Pod*> pods_;
  std::map<EngineKey, std::vector<int>> members_;
  std::map<GroupKey, std::vector<int>> groups_;
  Decorations result_;
};

}  // namespace

Decorations Decorate(const Containers& containers) { return Decorator(containers).Decorate(); }

}  // namespace nsctl::engines
