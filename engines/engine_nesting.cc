#include "engines/engine_nesting.h"

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
#include "engines/container.h"
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
  const ProcessPlace* const place = engine == engines_.end() ? nullptr : PlaceOf(engine->second);
  return place == nullptr || place->pid_namespaces.empty() ? own_pid_namespace_
                                                           : place->pid_namespaces[0];
}

const Container* EngineNesting::FindOuter(const Engine& engine, const Containers& containers) {
  const ProcessPlace* const inner = PlaceOf({engine.pid(), engine.start_time()});
  if (inner == nullptr) return nullptr;
  const Container* found = nullptr;
  std::tuple<size_t, size_t, bool, uint64_t> best;
  for (const Container& container : containers.containers()) {
    if (container.pid() == 0 || container.engine() == engine.key()) continue;
    const ProcessPlace::Id id = IdOfProcess(container);
    const ProcessPlace* const outer = PlaceOf(id);
    if (outer == nullptr) continue;
    const auto& ancestors = inner->ancestors;
    bool related = std::find(ancestors.begin(), ancestors.end(), id) != ancestors.end();
    if (!outer->pid_namespaces.empty() && outer->pid_namespaces[0] != TellersNamespace(container)) {
      const auto& namespaces = inner->pid_namespaces;
      related = related || std::find(namespaces.begin(), namespaces.end(),
                                     outer->pid_namespaces[0]) != namespaces.end();
    }
    const size_t cgroup = SharedCgroup(*inner, *outer);
    if (!related && cgroup == 0) continue;
    const auto rank =
        std::make_tuple(outer->pid_namespaces.size(), cgroup, related, container.start_time());
    if (found != nullptr && rank <= best) continue;
    found = &container;
    best = rank;
  }
  return found;
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
  for (const Container& container : containers->containers())
    present.insert(IdOfProcess(container));
  engines_.clear();
  for (const Engine& engine : containers->engines()) {
    const ProcessPlace::Id id(engine.pid(), engine.start_time());
    present.insert(id);
    if (engine.pid() != 0) engines_[engine.key()] = id;
  }
  // What could not be read is tried again.
  std::erase_if(places_, [&present](const auto& place) {
    return !place.second.has_value() || !present.contains(place.first);
  });
  std::map<std::string, std::string> parents;
  for (Engine& engine : *containers->mutable_engines()) {
    engine.clear_parent();
    engine.clear_parent_container();
    if (engine.pid() == 0) continue;
    const Container* const outer = FindOuter(engine, *containers);
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
