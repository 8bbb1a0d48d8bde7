#include "nsdisc/container_links.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "nsdisc/container_cgroups.h"
#include "nsdisc/process_order.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

constexpr int kNone = ContainerLinks::kNone;
// The kernel nests PID and user namespaces 33 deep.
constexpr int kMaxNesting = 64;

class Linker {
 public:
  explicit Linker(const Snapshot& snapshot)
      : snapshot_(snapshot),
        index_(snapshot),
        order_(snapshot),
        cgroups_(snapshot, order_),
        init_(static_cast<size_t>(snapshot.containers_size()), kNone),
        accepted_(init_.size(), false),
        refused_(init_.size(), false) {
    for (int i = 0; i < snapshot.containers_size(); ++i) {
      const engines::Container& container = snapshot.containers(i);
      init_[i] = PositionOf(snapshot, container.pid(), container.start_time());
    }
    absl::flat_hash_map<absl::string_view, uint32_t> guests;
    for (const engines::Engine& engine : snapshot.engines()) {
      engines_[engine.key()] = PositionOf(snapshot, engine.pid(), engine.start_time());
      if (engine.foreign()) guests[engine.key()] = engine.uid();
    }
    for (const engines::Container& container : snapshot.containers()) {
      const auto guest = guests.find(container.engine());
      teller_.push_back(container.foreign()     ? container.told_by_uid()
                        : guest == guests.end() ? 0
                                                : guest->second);
    }
  }

  ContainerLinks Link() {
    for (const std::vector<int>& group : GroupsByTrust()) {
      Relink();
      for (const int container : group) {
        (IsBelowItsEngine(container) ? accepted_ : refused_)[container] = true;
      }
    }
    Relink();
    return {.of_process = std::move(container_of_), .is_refused = std::move(refused_)};
  }

 private:
  const Process& ProcessAt(int position) const { return snapshot_.processes(position); }

  // Containers whose initial process is here: those of the engines in the host's own namespaces,
  // then those of the others, outer ones first.
  std::vector<std::vector<int>> GroupsByTrust() const {
    std::map<int, std::vector<int>> groups;
    for (int i = 0; i < snapshot_.containers_size(); ++i) {
      if (init_[i] == kNone) continue;
      const int engine = EngineOf(i);
      const bool is_hosts = engine == kNone || IsInHostNamespaces(ProcessAt(engine));
      groups[is_hosts ? kNone : order_.DepthOf(engine)].push_back(i);
    }
    std::vector<std::vector<int>> result;
    for (auto& [rank, group] : groups) result.push_back(std::move(group));
    return result;
  }

  // The position of the engine's process; kNone where it is not here.
  int EngineOf(int container) const {
    const auto found = engines_.find(snapshot_.containers(container).engine());
    return found == engines_.end() ? kNone : found->second;
  }

  bool IsInHostNamespaces(const Process& process) const {
    const Process* const first = index_.FindProcess(1);
    const bool knows_first = first != nullptr && first->namespaces_error().empty();
    const NamespaceSet& host = knows_first ? first->namespaces() : snapshot_.scanner().namespaces();
    const NamespaceSet& own = process.namespaces();
    return own.mnt() == host.mnt() && own.pid() == host.pid() && own.user() == host.user();
  }

  bool IsBelowItsEngine(int container) const {
    const int engine = EngineOf(container);
    const int init = init_[container];
    // Known by what the kernel shows, or by an engine that is none of the processes here.
    if (engine == kNone) return CanHold(container, init);
    if (order_.Descends(engine, init)) return false;
    const int around = container_of_[engine];
    if (around != kNone && (init == init_[around] || !IsWithin(container_of_[init], around))) {
      return false;
    }
    if (!MayRun(ProcessAt(engine), ProcessAt(init))) return false;
    return IsNamespaceBelow(NamespaceType::kPid, ProcessAt(init), ProcessAt(engine)) &&
           IsNamespaceBelow(NamespaceType::kUser, ProcessAt(init), ProcessAt(engine));
  }

  // Another user than root runs his own processes, and others in user namespaces below his own.
  static bool MayRun(const Process& engine, const Process& init) {
    if (!engine.has_uid() || engine.uid() == 0 || !init.has_uid()) return true;
    return init.uid() == engine.uid() || init.namespaces().user() != engine.namespaces().user();
  }

  // As engines::CanBeAround: what is a container by a user's word alone is around his own
  // processes, and those in the user namespaces that he owns, or in that of the initial process, or
  // below.
  bool CanHold(int container, int position) const {
    const uint32_t uid = teller_[container];
    if (uid == 0) return true;
    const Process& process = ProcessAt(position);
    const Process& init = ProcessAt(init_[container]);
    const uint32_t host = snapshot_.scanner().namespaces().user();
    const uint32_t user = process.namespaces().user();
    if (user == host) return process.has_uid() && process.uid() == uid;
    if (user == 0) return false;
    if (OwnerOfTop(user, host) == uid) return true;
    return init.namespaces().user() != host && init.namespaces().user() != 0 &&
           IsNamespaceBelow(NamespaceType::kUser, process, init);
  }

  // Who made the user namespace right below `host` that `user` is or is in; 0 where that is
  // unknown.
  uint32_t OwnerOfTop(uint32_t user, uint32_t host) const {
    for (int steps = 0; steps < kMaxNesting; ++steps) {
      const Namespace* const ns = index_.FindNamespace(NamespaceType::kUser, user);
      if (ns == nullptr || !ns->has_parent()) return 0;
      if (ns->parent() == host) return ns->owner_uid();
      user = ns->parent();
    }
    return 0;
  }

  // Whether `inner` is `outer` or in it.
  bool IsWithin(int inner, int outer) const {
    for (size_t steps = 0; inner != kNone && steps < around_.size() + 1; ++steps) {
      if (inner == outer) return true;
      inner = around_[inner];
    }
    return false;
  }

  // What is not known is not held against anybody.
  bool IsNamespaceBelow(NamespaceType type, const Process& inner, const Process& outer) const {
    std::optional<uint32_t> at = NamespaceOf(inner.namespaces(), type);
    const std::optional<uint32_t> top = NamespaceOf(outer.namespaces(), type);
    if (!at.has_value() || !top.has_value()) return true;
    for (int steps = 0; steps < kMaxNesting; ++steps) {
      if (*at == *top) return true;
      const Namespace* const ns = index_.FindNamespace(type, *at);
      if (ns == nullptr) return true;
      if (!ns->has_parent()) return false;
      at = ns->parent();
    }
    return false;
  }

  // Finds, with what is accepted by now, the container of each process.
  void Relink() {
    around_.assign(init_.size(), kNone);
    nesting_.assign(init_.size(), 0);
    FindOwnCgroups();
    FindOwnPidNamespaces();
    init_at_.assign(order_.TopDown().size(), kNone);
    for (size_t i = 0; i < init_.size(); ++i) {
      if (accepted_[i]) init_at_[init_[i]] = static_cast<int>(i);
    }
    FindNearestInits();
    // Initial processes' own places give the nesting, on which all others depend.
    for (size_t i = 0; i < init_.size(); ++i) {
      if (accepted_[i]) FindAround(static_cast<int>(i));
    }
    container_of_.assign(order_.TopDown().size(), kNone);
    for (const int at : order_.TopDown()) {
      container_of_[at] = init_at_[at] != kNone ? init_at_[at] : Innermost(at);
    }
  }

  void FindOwnCgroups() {
    std::vector<ContainerCgroups::Container> containers;
    for (size_t i = 0; i < init_.size(); ++i) {
      if (accepted_[i]) containers.push_back({static_cast<int>(i), init_[i]});
    }
    std::vector<int> engines;
    for (const auto& [key, position] : engines_) {
      if (position != kNone) engines.push_back(position);
    }
    cgroups_.Find(containers, engines);
  }

  // The first process of a PID namespace is its oldest leader.
  void FindOwnPidNamespaces() {
    pid_owners_.clear();
    for (size_t i = 0; i < init_.size(); ++i) {
      if (!accepted_[i]) continue;
      const Process& init = ProcessAt(init_[i]);
      const Namespace* const ns =
          index_.FindNamespace(NamespaceType::kPid, init.namespaces().pid());
      if (ns == nullptr || ns->initial() || ns->ealdorman() != init.pid()) continue;
      if (ns->inode() == snapshot_.scanner().namespaces().pid()) continue;
      pid_owners_[ns->inode()] = static_cast<int>(i);
    }
  }

  // Of each process the container of the nearest initial process among it and its ancestors.
  void FindNearestInits() {
    nearest_.assign(order_.TopDown().size(), kNone);
    for (const int at : order_.TopDown()) {
      const int parent = order_.ParentOf(at);
      nearest_[at] = init_at_[at];
      if (nearest_[at] == kNone && parent != kNone) nearest_[at] = nearest_[parent];
    }
  }

  // The containers that the process at `position` is in by one rule each, but for `except`.
  std::vector<int> Candidates(int position, int except) {
    std::vector<int> found;
    const auto add = [&](int container) {
      if (container == kNone || container == except || !CanHold(container, position)) return;
      found.push_back(container);
    };
    for (const int container : cgroups_.Around(position)) add(container);
    const int from = init_at_[position] == except ? order_.ParentOf(position) : position;
    if (from != kNone) add(nearest_[from]);
    std::optional<uint32_t> pid_ns =
        NamespaceOf(ProcessAt(position).namespaces(), NamespaceType::kPid);
    for (int steps = 0; pid_ns.has_value() && steps < kMaxNesting; ++steps) {
      const auto owner = pid_owners_.find(*pid_ns);
      if (owner != pid_owners_.end()) add(owner->second);
      const Namespace* const ns = index_.FindNamespace(NamespaceType::kPid, *pid_ns);
      if (ns == nullptr || !ns->has_parent()) break;
      pid_ns = ns->parent();
    }
    return found;
  }

  int Innermost(int position) {
    int innermost = kNone;
    for (const int container : Candidates(position, kNone)) {
      if (innermost == kNone || nesting_[container] > nesting_[innermost]) innermost = container;
    }
    return innermost;
  }

  // Those around a container are placed before it. One that is being placed is around nothing yet,
  // so that containers that claim to be in each other end.
  void FindAround(int container) {
    std::vector<int> pending = {container};
    while (!pending.empty()) {
      const int at = pending.back();
      if (nesting_[at] > 0) {
        pending.pop_back();
        continue;
      }
      if (nesting_[at] == 0) {
        nesting_[at] = kBeingPlaced;
        for (const int other : Candidates(init_[at], at)) {
          if (nesting_[other] == 0) pending.push_back(other);
        }
        continue;
      }
      pending.pop_back();
      around_[at] = kNone;
      for (const int other : Candidates(init_[at], at)) {
        if (nesting_[other] > 0 &&
            (around_[at] == kNone || nesting_[other] > nesting_[around_[at]])) {
          around_[at] = other;
        }
      }
      nesting_[at] = around_[at] == kNone ? 1 : nesting_[around_[at]] + 1;
    }
  }

  static constexpr int kBeingPlaced = -1;

  const Snapshot& snapshot_;
  const SnapshotIndex index_;
  const ProcessOrder order_;
  ContainerCgroups cgroups_;
  // By index of a container: the position of its initial process.
  std::vector<int> init_;
  // The user by whose word alone it is one; 0 for all others.
  std::vector<uint32_t> teller_;
  std::vector<bool> accepted_;
  std::vector<bool> refused_;
  absl::flat_hash_map<absl::string_view, int> engines_;

  // What follows from the containers that are accepted. By index of a container: the one around it,
  // and how many it is in, itself counted.
  std::vector<int> around_;
  std::vector<int> nesting_;
  absl::flat_hash_map<uint32_t, int> pid_owners_;
  // By position of a process: the container that began with it; that of the nearest such process
  // upward; the one it is in.
  std::vector<int> init_at_;
  std::vector<int> nearest_;
  std::vector<int> container_of_;
};

}  // namespace

ContainerLinks FindContainerLinks(const Snapshot& snapshot) {
  if (snapshot.containers().empty()) {
    return {.of_process = std::vector<int>(static_cast<size_t>(snapshot.processes_size()), kNone),
            .is_refused = {}};
  }
  return Linker(snapshot).Link();
}

}  // namespace nsctl::nsdisc
