// How ContainerHub tells of containers that are known by evidence alone and are in another
// container. All else of it is in container_hub.cc.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/told_processes.h"

namespace nsctl::engines {

// Of evidence as such, or of a place.
bool ContainerHub::IsEvidence(const std::string& key) const {
  const auto found = engines_.find(key);
  return found != engines_.end() && found->second.type() == Engine::evidence;
}

void ContainerHub::Place(Change* change) const {
  if (!IsEvidence(change->container().engine())) return;
  const auto place = places_.find(ToldProcesses::IdOf(*change));
  if (place == places_.end()) return;
  change->mutable_container()->set_engine(place->second.key());
  if (change->has_pod()) change->mutable_pod()->set_engine(place->second.key());
}

void ContainerHub::AddPlaces(const Places& places, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  std::set<ToldProcesses::Id> moved;
  for (const auto& [process, engine] : places) {
    const auto [place, is_new] = places_.try_emplace(process);
    if (is_new || place->second.key() != engine.key()) moved.insert(process);
    place->second = engine;
    TellEngine(engine, now);
  }
  // Who was told of already is told again, as what it is.
  for (const auto& [id, known] : known_) {
    const ToldProcesses::Id process(known.container.pid(), known.container.start_time());
    if (!moved.contains(process) || !IsEvidence(id.first) || !told_.IsRunning(process)) continue;
    Change change = NewChange(Change::updated, now);
    *change.mutable_container() = known.container;
    if (known.pod.has_value()) *change.mutable_pod() = *known.pod;
    Place(&change);
    told_.Take(DistanceFromUser(Engine::evidence), &change);
    PassOn(std::move(change));
  }
  ForgetPlaces(places, now);
}

void ContainerHub::ForgetPlaces(const Places& added, absl::Time now) {
  std::set<ToldProcesses::Id> present;
  for (const auto& [id, known] : known_) {
    if (IsEvidence(id.first)) {
      present.emplace(known.container.pid(), known.container.start_time());
    }
  }
  std::erase_if(places_, [&](const auto& place) {
    return !present.contains(place.first) && !added.contains(place.first);
  });
  std::set<std::string> keys;
  for (const auto& [process, engine] : places_) keys.insert(engine.key());
  for (auto told = told_engines_.begin(); told != told_engines_.end();) {
    const auto current = told++;
    const Engine& engine = current->second;
    if (engine.type() != Engine::evidence || engine.parent_container().empty()) continue;
    if (keys.contains(engine.key())) continue;
    Change change = NewChange(Change::engine_gone, now);
    *change.mutable_engine() = engine;
    change.mutable_engine()->set_state(Engine::gone);
    told_engines_.erase(current);
    PassOn(std::move(change));
  }
}

Containers ContainerHub::CollectPlaced() const {
  Containers containers = Collect();
  std::map<std::string, Engine> engines;
  std::vector<Pod> pods;
  for (Container& container : *containers.mutable_containers()) {
    if (!IsEvidence(container.engine())) continue;
    const auto place = places_.find({container.pid(), container.start_time()});
    if (place == places_.end()) continue;
    for (const Pod& pod : containers.pods()) {
      if (pod.id() != container.pod() || pod.engine() != container.engine()) continue;
      pods.push_back(pod);
      pods.back().set_engine(place->second.key());
    }
    container.set_engine(place->second.key());
    engines[place->second.key()] = place->second;
  }
  for (auto& [key, engine] : engines) *containers.add_engines() = std::move(engine);
  for (Pod& pod : pods) *containers.add_pods() = std::move(pod);
  return containers;
}

}  // namespace nsctl::engines
