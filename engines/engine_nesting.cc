#include "engines/engine_nesting.h"

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/text.h"
#include "engines/container.h"
#include "engines/engine_rights.h"
#include "engines/process_scan.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

using procfsroot::ProcessDir;

constexpr size_t kMaxAncestors = 1000;
// The kernel allows 32 levels.
constexpr size_t kMaxLevels = 40;

std::vector<uint64_t> ReadPidNamespaces(const ProcessDir& process) {
  std::vector<uint64_t> inodes;
  absl::StatusOr<base::OwnedFd> ns = process.OpenNamespace("pid");
  while (ns.ok() && inodes.size() < kMaxLevels) {
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*ns);
    if (!id.ok()) break;
    inodes.push_back(id->inode);
    ns = base::OpenParent(*ns);
  }
  return inodes;
}

std::map<uint32_t, std::string> ReadCgroups(const ProcessDir& process) {
  std::map<uint32_t, std::string> cgroups;
  std::string text;
  if (process.TryReadRecord("cgroup", procfsroot::kMaxCgroup, &text) != 0) return cgroups;
  (void)procfsroot::ParseCgroup(text, [&cgroups](const procfsroot::CgroupLine& line) {
    cgroups[line.hierarchy] = std::string(line.path);
  });
  return cgroups;
}

// How long the path of `outer`'s cgroup is that `inner` is in or below; 0 where it is in none.
size_t SharedCgroup(const ProcessPlace& inner, const ProcessPlace& outer) {
  size_t longest = 0;
  for (const auto& [hierarchy, path] : outer.own_cgroups) {
    // Above the reader's own.
    if (path == "/" || absl::StartsWith(path, "/..")) continue;
    const auto found = inner.cgroups.find(hierarchy);
    if (found == inner.cgroups.end()) continue;
    if (found->second == path || absl::StartsWith(found->second, absl::StrCat(path, "/"))) {
      longest = std::max(longest, path.size());
    }
  }
  return longest;
}

ProcessPlace::Id IdOfProcess(const Container& container) {
  return {container.pid(), container.start_time()};
}

}  // namespace

std::optional<ProcessPlace> ReadPlace(const procfsroot::Procfs& procfs, ProcessPlace::Id id) {
  const absl::StatusOr<ProcessDir> process = procfs.OpenProcess(base::Pid{id.first});
  const absl::StatusOr<ScannedProcess> self = ScanProcess(procfs, base::Pid{id.first});
  if (!process.ok() || !self.ok() || self->start_time != id.second) return std::nullopt;
  ProcessPlace place;
  place.pid_namespaces = ReadPidNamespaces(*process);
  place.cgroups = ReadCgroups(*process);
  std::map<uint32_t, std::string> shared;
  if (const absl::StatusOr<ProcessDir> above = procfs.OpenProcess(self->parent); above.ok()) {
    shared = ReadCgroups(*above);
  }
  for (const auto& [hierarchy, path] : place.cgroups) {
    const auto found = shared.find(hierarchy);
    if (found == shared.end() || found->second != path) place.own_cgroups[hierarchy] = path;
  }
  base::Pid parent = self->parent;
  while (parent.value > 0 && place.ancestors.size() < kMaxAncestors) {
    const absl::StatusOr<ScannedProcess> ancestor = ScanProcess(procfs, parent);
    if (!ancestor.ok()) break;
    place.ancestors.emplace_back(parent.value, ancestor->start_time);
    parent = ancestor->parent;
  }
  return place;
}

const ProcessPlace* EngineNesting::PlaceOf(ProcessPlace::Id id) {
  const auto [place, is_new] = places_.try_emplace(id);
  if (is_new) place->second = ReadPlace(procfs_, id);
  return place->second.has_value() ? &*place->second : nullptr;
}

// A container that shares the PID namespace of its engine has none of its own.
uint64_t EngineNesting::TellersNamespace(const Container& container) {
  const auto engine = engines_.find(container.engine());
  const ProcessPlace* place = nullptr;
  if (engine != engines_.end()) {
    place = PlaceOf(engine->second);
  } else if (const ProcessPlace* const own = PlaceOf(IdOfProcess(container));
             own != nullptr && !own->ancestors.empty()) {
    place = PlaceOf(own->ancestors.front());
  }
  return place == nullptr || place->pid_namespaces.empty() ? own_pid_namespace_
                                                           : place->pid_namespaces[0];
}

// Users can say of any of their processes that a container begins with it; and others may descend
// from that, or be in a cgroup that such a user moved them to.
bool EngineNesting::CanHold(const Container& container, ProcessPlace::Id process) {
  const auto guest = guests_.find(container.engine());
  if (!container.foreign() && guest == guests_.end()) return true;
  const uid_t uid = container.foreign() ? container.told_by_uid() : guest->second;
  if (uid == 0) return true;
  const absl::StatusOr<ProcessDir> init = procfs_.OpenProcess(base::Pid{container.pid()});
  const absl::StatusOr<ProcessDir> inner = procfs_.OpenProcess(base::Pid{process.first});
  return init.ok() && inner.ok() && CanBeAround(procfs_, uid, *init, *inner);
}

const Container* EngineNesting::FindOuter(ProcessPlace::Id process, const std::string& engine,
                                          const Container* self, const Containers& containers) {
  const ProcessPlace* const inner = PlaceOf(process);
  if (inner == nullptr) return nullptr;
  const Container* found = nullptr;
  std::tuple<size_t, size_t, bool, uint64_t> best;
  for (const Container& container : containers.containers()) {
    if (container.pid() == 0 || &container == self) continue;
    if (self == nullptr && container.engine() == engine) continue;
    const ProcessPlace::Id id = IdOfProcess(container);
    const ProcessPlace* const outer = PlaceOf(id);
    if (outer == nullptr) continue;
    const auto& ancestors = inner->ancestors;
    // Who made `self` may be the initial process.
    bool related = (self != nullptr && id == process) ||
                   std::find(ancestors.begin(), ancestors.end(), id) != ancestors.end();
    if (!outer->pid_namespaces.empty() && outer->pid_namespaces[0] != TellersNamespace(container)) {
      const auto& namespaces = inner->pid_namespaces;
      related = related || std::find(namespaces.begin(), namespaces.end(),
                                     outer->pid_namespaces[0]) != namespaces.end();
    }
    const size_t cgroup = SharedCgroup(*inner, *outer);
    if ((!related && cgroup == 0) || !CanHold(container, process)) continue;
    const auto rank =
        std::make_tuple(outer->pid_namespaces.size(), cgroup, related, container.start_time());
    if (found != nullptr && rank <= best) continue;
    found = &container;
    best = rank;
  }
  return found;
}

void EngineNesting::PlaceEvidence(Containers* containers) {
  const auto is_evidence = [&](const std::string& key) {
    return std::any_of(containers->engines().begin(), containers->engines().end(),
                       [&key](const Engine& engine) {
                         return engine.key() == key && engine.type() == Engine::evidence;
                       });
  };
  // By position: which container it is in.
  std::map<const Container*, const Container*> outer;
  for (const Container& container : containers->containers()) {
    if (container.pid() == 0 || !is_evidence(container.engine())) continue;
    const ProcessPlace* const place = PlaceOf(IdOfProcess(container));
    if (place == nullptr || place->ancestors.empty()) continue;
    const Container* const found =
        FindOuter(place->ancestors.front(), container.engine(), &container, *containers);
    if (found == nullptr) continue;
    const Container* above = found;
    while (above != &container && outer.contains(above)) above = outer[above];
    if (above != &container) outer[&container] = found;
  }
  if (outer.empty()) return;
  const auto key_of = [](const Container& around) {
    return absl::StrCat(TypeName(Engine::evidence), ":", around.pid(), "@", around.start_time());
  };
  std::map<std::string, Engine> engines;
  std::vector<Pod> pods;
  std::map<const Container*, std::string> keys;
  for (const auto& [inner, around] : outer) {
    Engine& engine = engines[key_of(*around)];
    engine.set_key(key_of(*around));
    engine.set_type(Engine::evidence);
    engine.set_state(Engine::ready);
    const auto above = outer.find(around);
    engine.set_parent(above == outer.end() ? around->engine() : key_of(*above->second));
    engine.set_parent_container(around->id());
    keys[inner] = engine.key();
    for (const Pod& pod : containers->pods()) {
      if (pod.id() != inner->pod() || pod.engine() != inner->engine()) continue;
      pods.push_back(pod);
      pods.back().set_engine(engine.key());
    }
  }
  for (Container& container : *containers->mutable_containers()) {
    if (const auto key = keys.find(&container); key != keys.end()) {
      container.set_engine(key->second);
    }
  }
  for (const auto& [key, engine] : engines) *containers->add_engines() = engine;
  for (Pod& pod : pods) *containers->add_pods() = std::move(pod);
  SortContainers(containers);
}

void EngineNesting::SetCgroups(Containers* containers) {
  for (Container& container : *containers->mutable_containers()) {
    if (container.pid() == 0 || !container.cgroup().empty()) continue;
    const ProcessPlace* const place = PlaceOf(IdOfProcess(container));
    if (place == nullptr) continue;
    // As for evidence: the unified hierarchy's, unless others say more.
    std::string longest;
    for (const auto& [hierarchy, path] : place->cgroups) {
      if (path.size() > longest.size()) longest = path;
    }
    const auto unified = place->cgroups.find(0);
    const bool says = unified != place->cgroups.end() && unified->second != "/";
    container.set_cgroup(base::EncodeText(says ? unified->second : longest));
  }
}

void EngineNesting::SetParents(Containers* containers) {
  if (!started_) {
    started_ = true;
    if (const absl::StatusOr<ProcessDir> self = procfs_.OpenSelf(); self.ok()) {
      const absl::StatusOr<uint64_t> own = ReadNamespaceInode(*self, "pid");
      if (own.ok()) own_pid_namespace_ = *own;
    }
  }
  std::set<ProcessPlace::Id> present;
  for (const Container& container : containers->containers()) {
    present.insert(IdOfProcess(container));
    const auto place = places_.find(IdOfProcess(container));
    if (place == places_.end() || !place->second.has_value()) continue;
    // Who made it.
    if (!place->second->ancestors.empty()) present.insert(place->second->ancestors.front());
  }
  engines_.clear();
  guests_.clear();
  for (const Engine& engine : containers->engines()) {
    if (engine.foreign()) guests_[engine.key()] = engine.uid();
    const ProcessPlace::Id id(engine.pid(), engine.start_time());
    present.insert(id);
    if (engine.pid() != 0) engines_[engine.key()] = id;
  }
  // What could not be read is tried again.
  std::erase_if(places_, [&present](const auto& place) {
    return !place.second.has_value() || !present.contains(place.first);
  });
  PlaceEvidence(containers);
  std::map<std::string, std::string> parents;
  for (const Engine& engine : containers->engines()) {
    if (engine.type() == Engine::evidence) parents[engine.key()] = engine.parent();
  }
  for (Engine& engine : *containers->mutable_engines()) {
    if (engine.type() == Engine::evidence) continue;
    engine.clear_parent();
    engine.clear_parent_container();
    if (engine.pid() == 0) continue;
    const Container* const outer =
        FindOuter({engine.pid(), engine.start_time()}, engine.key(), nullptr, *containers);
    if (outer == nullptr) continue;
    // Two engines may each call the other its container.
    std::string above = outer->engine();
    while (above != engine.key() && parents.contains(above)) above = parents[above];
    if (above == engine.key()) continue;
    parents[engine.key()] = outer->engine();
    engine.set_parent(outer->engine());
    engine.set_parent_container(outer->id());
  }
}

}  // namespace nsctl::engines
