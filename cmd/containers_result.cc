#include "cmd/containers_result.h"

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;
using engines::Pod;

class Selector {
 public:
  Selector(const ContainerLists& known, const ContainerFilter& filter)
      : known_(known), filter_(filter) {}

  ContainerList Select() {
    ContainerList list;
    for (const Container& container : known_.containers) {
      if (!Passes(container)) continue;
      *list.add_containers() = container;
      Keep(container.engine());
      const Pod* const pod = PodOf(known_, container);
      if (pod != nullptr) pods_.insert(pod);
    }
    for (const Engine& engine : known_.engines) {
      if (engines_.contains(engine.key()) || (filter_.all_engines && IsWanted(engine))) {
        *list.add_engines() = engine;
      }
    }
    for (const Pod& pod : known_.pods) {
      if (pods_.contains(&pod)) *list.add_pods() = pod;
    }
    return list;
  }

 private:
  // The engine and those that it runs in.
  void Keep(const std::string& key) {
    if (key.empty() || !engines_.insert(key).second) return;
    for (const Engine& engine : known_.engines) {
      if (engine.key() == key) Keep(engine.parent());
    }
  }

  bool IsWanted(const Engine& engine) const {
    return filter_.engines.empty() || absl::c_any_of(filter_.engines, [&](const auto& word) {
             return IsEngineWord(word, engine);
           });
  }

  bool Passes(const Container& container) const {
    const Engine* const engine = EngineOf(known_, container);
    if (!filter_.engines.empty() && !absl::c_linear_search(filter_.engines, container.engine()) &&
        (engine == nullptr || !IsWanted(*engine))) {
      return false;
    }
    if (!filter_.projects.empty() &&
        !absl::c_linear_search(filter_.projects, container.project().project())) {
      return false;
    }
    if (!filter_.states.empty() && !absl::c_linear_search(filter_.states, container.state())) {
      return false;
    }
    return (filter_.pods.empty() || IsInWantedPod(container)) && HasLabels(container);
  }

  bool IsInWantedPod(const Container& container) const {
    const Pod* const pod = PodOf(known_, container);
    return pod != nullptr && absl::c_any_of(filter_.pods, [&](const std::string& word) {
             return word == pod->name() || word == pod->id() || word == PodText(*pod);
           });
  }

  bool HasLabels(const Container& container) const {
    return absl::c_all_of(filter_.labels, [&](const auto& wanted) {
      const std::string* const value = engines::FindLabel(container.labels(), wanted.first);
      return value != nullptr && (!wanted.second.has_value() || *wanted.second == *value);
    });
  }

  const ContainerLists& known_;
  const ContainerFilter& filter_;
  absl::flat_hash_set<std::string> engines_;
  absl::flat_hash_set<const Pod*> pods_;
};

}  // namespace

ContainerList BuildContainerList(const ContainerLists& known, const ContainerFilter& filter) {
  return Selector(known, filter).Select();
}

}  // namespace nsctl::cmd
