#include "cmd/containers_result.h"

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "engines/container.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;
using engines::Pod;

bool IsNamed(const ContainerFilter& filter, const Engine& engine) {
  return filter.engines.empty() || absl::c_any_of(filter.engines, [&](const auto& word) {
           return IsEngineWord(word, engine);
         });
}

// What is named may be known by evidence alone: no engine is it.
bool NamesEvidence(const ContainerLists& known, const ContainerFilter& filter) {
  return absl::c_any_of(filter.engines, [&](const std::string& word) {
    return absl::c_none_of(known.engines, [&](const Engine& engine) {
      return engine.type() != Engine::evidence && IsEngineWord(word, engine);
    });
  });
}

// They tell of the same processes.
bool IsOfStack(Engine::Type type) {
  return type == Engine::docker || type == Engine::containerd || type == Engine::cri ||
         type == Engine::crio;
}

// What both tell of is the container of one nearer to the user.
bool IsAboveNamed(const ContainerLists& known, const ContainerFilter& filter,
                  const Engine& engine) {
  return IsOfStack(engine.type()) && absl::c_any_of(known.engines, [&](const Engine& other) {
           return IsNamed(filter, other) && IsOfStack(other.type()) &&
                  engines::DistanceFromUser(engine.type()) <
                      engines::DistanceFromUser(other.type());
         });
}

bool IsIdPrefix(const std::string& word, const std::string& id) {
  constexpr size_t kMinDigits = 12;
  return word.size() >= kMinDigits && absl::StartsWith(id, word);
}

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
      const bool is_asked = filter_.all_engines || IsSilent(engine);
      if (engines_.contains(engine.key()) || (is_asked && IsWanted(engine))) {
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

  static bool IsSilent(const Engine& engine) {
    return engine.state() == Engine::connecting || engine.state() == Engine::syncing ||
           engine.state() == Engine::degraded;
  }

  bool IsWanted(const Engine& engine) const { return IsNamed(filter_, engine); }

  bool Passes(const Container& container) const {
    const Engine* const engine = EngineOf(known_, container);
    if (!filter_.engines.empty() && !absl::c_linear_search(filter_.engines, container.engine()) &&
        (engine == nullptr || !IsWanted(*engine)) &&
        !absl::c_linear_search(filter_.engines, HelperTypeOf(known_, container))) {
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
             return word == pod->name() || word == pod->id() || word == PodText(*pod) ||
                    (!pod->uid().empty() && word == pod->uid()) || IsIdPrefix(word, pod->id());
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

bool HaveTold(const ContainerLists& known, const ContainerFilter& filter) {
  // Evidence waits for all engines.
  if (filter.engines.empty() || NamesEvidence(known, filter)) return false;
  absl::flat_hash_set<int> named;
  for (const Engine& engine : known.engines) {
    if (IsNamed(filter, engine) && IsOfStack(engine.type())) named.insert(engine.type());
  }
  return absl::c_none_of(known.engines, [&](const Engine& engine) {
    const bool is_silent =
        engine.state() == Engine::connecting || engine.state() == Engine::syncing;
    const bool may_have_the_same =
        !named.empty() && IsOfStack(engine.type()) && !named.contains(engine.type());
    return is_silent && (IsNamed(filter, engine) || may_have_the_same);
  });
}

bool MayMatter(const ContainerLists& known, const ContainerFilter& filter,
               const std::string& subject) {
  const auto engine =
      absl::c_find_if(known.engines, [&](const Engine& one) { return one.key() == subject; });
  if (engine == known.engines.end() || IsNamed(filter, *engine)) return true;
  return engine->type() == Engine::evidence ? NamesEvidence(known, filter)
                                            : IsAboveNamed(known, filter, *engine);
}

ContainerList BuildContainerList(const ContainerLists& known, const ContainerFilter& filter) {
  return Selector(known, filter).Select();
}

}  // namespace nsctl::cmd
