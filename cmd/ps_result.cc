#include "cmd/ps_result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "base/status_macros.h"
#include "cmd/container_reference.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::PidMap;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;

// The PID namespace that a part of the tree is in.
struct Place {
  // Absent where it could not be told.
  std::optional<uint32_t> inode;
  // How many numbers its processes have; 0 where unknown.
  size_t numbers = 0;
};

class PsBuilder {
 public:
  PsBuilder(const Snapshot& snapshot, const PsRequest& request)
      : snapshot_(snapshot), request_(request), index_(snapshot), pids_(index_) {}

  absl::StatusOr<ProcessTree> Build() {
    NSCTL_ASSIGN_OR_RETURN(selection_, SelectProcesses(index_, pids_, request_));
    *tree_.mutable_taken_at() = snapshot_.taken_at();
    *tree_.mutable_host() = snapshot_.host();
    PushRoots();
    while (!steps_.empty()) {
      const Step step = std::move(steps_.back());
      steps_.pop_back();
      if (step.members.empty()) {
        AddProcess(step);
      } else {
        AddNamespace(step);
      }
    }
    *tree_.mutable_gaps() = snapshot_.gaps();
    return std::move(tree_);
  }

 private:
  // What is still to be done, the next at the end: a process at its position, or a PID namespace
  // with the positions of those that are directly below it.
  struct Step {
    uint32_t depth = 0;
    Place place;
    int position = 0;
    std::vector<int> members = {};
  };

  Place PlaceOf(const Process& process) const {
    return {pids_.NamespaceOf(process), pids_.NumbersOf(process).size()};
  }

  // Whether `process` is shown in the namespace that its parent is in. Where its own could not be
  // told it is, unless the count of its numbers says no.
  bool StaysIn(const Place& place, const Process& process) const {
    const Place own = PlaceOf(process);
    if (own.inode.has_value()) return own.inode == place.inode;
    return !process.has_uid() || place.numbers == 0 || own.numbers == place.numbers;
  }

  void PushRoots() {
    // The scanned namespace, then by inode, then those that could not be told.
    using Key = std::tuple<int, uint32_t>;
    std::map<Key, std::vector<int>> roots;
    for (int i = 0; i < snapshot_.processes_size(); ++i) {
      if (selection_.choices[i] == PsChoice::kLeftOut) continue;
      const std::optional<int> parent = selection_.parents[i];
      if (parent.has_value() && selection_.choices[*parent] != PsChoice::kLeftOut) {
        children_[*parent].push_back(i);
        continue;
      }
      const std::optional<uint32_t> ns = pids_.NamespaceOf(snapshot_.processes(i));
      const int rank = !ns.has_value() ? 2 : ns == pids_.scanned_namespace() ? 0 : 1;
      roots[{rank, ns.value_or(0)}].push_back(i);
    }
    for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
      Place place = PlaceOf(snapshot_.processes(root->second.front()));
      if (!place.inode.has_value()) place.numbers = 0;
      steps_.push_back({0, place, 0, std::move(root->second)});
    }
  }

  void AddNamespace(const Step& step) {
    ProcessTree::Row* const row = tree_.add_rows();
    row->set_depth(step.depth);
    FillNamespace(step.place.inode, row);
    for (auto member = step.members.rbegin(); member != step.members.rend(); ++member) {
      steps_.push_back({step.depth + 1, step.place, *member});
    }
  }

  void FillNamespace(std::optional<uint32_t> inode, ProcessTree::Row* row) const {
    Namespace* const out = row->mutable_pid_namespace();
    out->set_type(Namespace::pid);
    if (!inode.has_value()) return;
    out->set_inode(*inode);
    const Namespace* const ns = index_.FindNamespace(NamespaceType::kPid, *inode);
    if (ns == nullptr) return;
    if (ns->has_kernel_id()) out->set_kernel_id(ns->kernel_id());
    out->set_initial(ns->initial());
    if (ns->has_parent()) out->set_parent(ns->parent());
    if (!ns->has_owner()) return;
    out->set_owner(ns->owner());
    Namespace* const owner = row->mutable_owner();
    owner->set_type(Namespace::user);
    owner->set_inode(ns->owner());
    const Namespace* const user = index_.FindNamespace(NamespaceType::kUser, ns->owner());
    if (user == nullptr) return;
    if (user->has_owner_uid()) owner->set_owner_uid(user->owner_uid());
    if (user->has_owner_user()) owner->set_owner_user(user->owner_user());
  }

  void AddProcess(const Step& step) {
    const Process& process = snapshot_.processes(step.position);
    ProcessTree::Row* const row = tree_.add_rows();
    row->set_depth(step.depth);
    *row->mutable_process() = process;
    row->mutable_process()->clear_cgroups();
    row->mutable_process()->clear_container();
    row->mutable_process()->clear_threads();
    for (const PidMap::Number& number : pids_.NumbersOf(process)) {
      ProcessTree::Number* const out = row->add_pids();
      out->set_pid(number.pid);
      if (number.pid_namespace.has_value()) out->set_pid_namespace(*number.pid_namespace);
    }
    row->set_cgroup(index_.CgroupPathOf(process));
    row->set_container(ContainerIdIn(row->cgroup()));
    const auto container = ContainerReferenceOf(snapshot_, process);
    if (container.has_value()) {
      *row->mutable_in_container() = *container;
      row->set_container(container->id());
    }
    row->set_relative(selection_.choices[step.position] == PsChoice::kRelative);
    // Not after AddThreads: it adds rows.
    if (request_.threads) AddThreads(process, step.depth + 1, row->relative());
    PushChildren(step);
  }

  void AddThreads(const Process& process, uint32_t depth, bool relative) {
    const std::vector<PidMap::Number> numbers = pids_.NumbersOf(process);
    for (const nsdisc::Thread& thread : process.threads()) {
      if (!IsIn(thread.namespaces(), selection_.namespaces)) continue;
      ProcessTree::Row* const row = tree_.add_rows();
      row->set_depth(depth);
      *row->mutable_thread() = thread;
      row->mutable_thread()->clear_cgroups();
      row->set_thread_of(process.pid());
      row->set_relative(relative);
      // A thread has numbers in the namespaces of its process.
      const int known = thread.namespaced_tids_size();
      for (size_t i = 0; i < numbers.size(); ++i) {
        const bool first = i == 0;
        if (!first && known != static_cast<int>(numbers.size())) break;
        ProcessTree::Number* const out = row->add_pids();
        out->set_pid(first ? thread.tid() : thread.namespaced_tids(static_cast<int>(i)));
        if (numbers[i].pid_namespace.has_value()) {
          out->set_pid_namespace(*numbers[i].pid_namespace);
        }
      }
    }
  }

  // Those that leave the namespace are gathered below it, at the place of the first.
  void PushChildren(const Step& step) {
    const auto found = children_.find(step.position);
    if (found == children_.end()) return;
    Place place = step.place;
    const Place own = PlaceOf(snapshot_.processes(step.position));
    if (own.inode.has_value()) place = own;
    std::vector<Step> next;
    std::map<std::optional<uint32_t>, size_t> gathered;
    for (const int child : found->second) {
      const Process& process = snapshot_.processes(child);
      if (StaysIn(place, process)) {
        next.push_back({step.depth + 1, place, child});
        continue;
      }
      const Place there = PlaceOf(process);
      const auto [position, is_new] = gathered.try_emplace(there.inode, next.size());
      if (is_new) next.push_back({step.depth + 1, there, 0});
      next[position->second].members.push_back(child);
    }
    for (auto one = next.rbegin(); one != next.rend(); ++one) steps_.push_back(std::move(*one));
  }

  const Snapshot& snapshot_;
  const PsRequest& request_;
  const SnapshotIndex index_;
  const PidMap pids_;
  PsSelection selection_;
  // By position of the parent.
  absl::flat_hash_map<int, std::vector<int>> children_;
  std::vector<Step> steps_;
  ProcessTree tree_;
};

}  // namespace

absl::StatusOr<ProcessTree> BuildProcessTree(const Snapshot& snapshot, const PsRequest& request) {
  return PsBuilder(snapshot, request).Build();
}

}  // namespace nsctl::cmd
