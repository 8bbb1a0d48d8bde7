#include "cmd/ps_selection.h"

#include <cstddef>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cmd/labels.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceLink;
using base::NamespaceType;
using nsdisc::PidMap;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;

class Selector {
 public:
  Selector(const SnapshotIndex& index, const PidMap& pids, const PsRequest& request)
      : snapshot_(index.snapshot()), index_(index), pids_(pids), request_(request) {}

  absl::StatusOr<PsSelection> Select() {
    for (const NamespaceReference& reference : request_.namespaces) {
      NSCTL_ASSIGN_OR_RETURN(const nsdisc::Namespace* ns, FindNamespace(reference, index_));
      selection_.namespaces.push_back({*nsdisc::FromProto(ns->type()), ns->inode()});
    }
    const auto size = static_cast<size_t>(snapshot_.processes_size());
    for (const Process& process : snapshot_.processes()) {
      const Process* const parent = index_.FindProcess(process.parent_pid());
      selection_.parents.push_back(parent == nullptr ? std::nullopt
                                                     : std::optional<int>(PositionOf(*parent)));
    }
    selection_.choices.assign(size, request_.pids.empty() ? PsChoice::kWanted : PsChoice::kLeftOut);
    for (const PidReference& reference : request_.pids) {
      NSCTL_ASSIGN_OR_RETURN(const Process* process, Resolve(reference));
      ChoiceOf(PositionOf(*process)) = PsChoice::kWanted;
    }
    if (!request_.pids.empty()) AddRelatives();
    LeaveOutOtherNamespaces();
    return std::move(selection_);
  }

 private:
  // Processes are one array.
  int PositionOf(const Process& process) const {
    const auto& all = snapshot_.processes();
    const auto found = absl::c_lower_bound(
        all, process.pid(), [](const Process& one, int32_t pid) { return one.pid() < pid; });
    return static_cast<int>(found - all.begin());
  }

  PsChoice& ChoiceOf(int position) { return selection_.choices[static_cast<size_t>(position)]; }

  bool Passes(const Process& process) const {
    return absl::c_all_of(selection_.namespaces, [&](const NamespaceLink& wanted) {
      if (wanted.type == NamespaceType::kPid) return pids_.NamespaceOf(process) == wanted.inode;
      return nsdisc::NamespaceOf(process.namespaces(), wanted.type) == wanted.inode;
    });
  }

  bool HasThreadThatPasses(const Process& process) const {
    return request_.threads && absl::c_any_of(process.threads(), [&](const nsdisc::Thread& thread) {
             return IsIn(thread.namespaces(), selection_.namespaces);
           });
  }

  absl::StatusOr<const Process*> Resolve(const PidReference& reference) const {
    const absl::StatusOr<const Process*> plain = FindProcess(reference, index_, pids_);
    const auto only = absl::c_find_if(selection_.namespaces, [](const NamespaceLink& link) {
      return link.type == NamespaceType::kPid;
    });
    if (reference.pid_namespace.has_value() || only == selection_.namespaces.end()) return plain;

    PidReference inner = reference;
    inner.pid_namespace = only->inode;
    const absl::StatusOr<const Process*> other = FindProcess(inner, index_, pids_);
    const bool plain_passes = plain.ok() && Passes(**plain);
    const bool other_passes = other.ok() && Passes(**other);
    if (plain_passes && other_passes && *plain != *other) {
      return absl::FailedPreconditionError(absl::StrCat(
          "process ", reference.pid.value, " may be (", PidText(**plain), ") or (",
          PidText(**other), "); the latter is ", ToString(inner), ", the former needs no --ns"));
    }
    return plain_passes ? plain : other;
  }

  // Ancestors, each walked over once, and descendants: a process whose parent is wanted, or is one
  // of those, is one. Parents may have greater PIDs than their children.
  void AddRelatives() {
    const int size = snapshot_.processes_size();
    enum class Descends : uint8_t { kUnknown, kNo, kYes };
    std::vector<Descends> descends(static_cast<size_t>(size), Descends::kUnknown);
    for (int i = 0; i < size; ++i) {
      std::vector<int> path;
      std::optional<int> at = i;
      while (at.has_value() && descends[static_cast<size_t>(*at)] == Descends::kUnknown &&
             ChoiceOf(*at) != PsChoice::kWanted) {
        path.push_back(*at);
        at = selection_.parents[static_cast<size_t>(*at)];
      }
      const bool yes = at.has_value() && (ChoiceOf(*at) == PsChoice::kWanted ||
                                          descends[static_cast<size_t>(*at)] == Descends::kYes);
      for (const int one : path) {
        descends[static_cast<size_t>(one)] = yes ? Descends::kYes : Descends::kNo;
      }
    }
    std::vector<int> wanted;
    for (int i = 0; i < size; ++i) {
      if (ChoiceOf(i) == PsChoice::kWanted) wanted.push_back(i);
    }
    for (const int one : wanted) {
      std::optional<int> at = selection_.parents[static_cast<size_t>(one)];
      while (at.has_value() && ChoiceOf(*at) == PsChoice::kLeftOut) {
        ChoiceOf(*at) = PsChoice::kRelative;
        at = selection_.parents[static_cast<size_t>(*at)];
      }
    }
    for (int i = 0; i < size; ++i) {
      if (ChoiceOf(i) == PsChoice::kLeftOut && descends[static_cast<size_t>(i)] == Descends::kYes) {
        ChoiceOf(i) = PsChoice::kRelative;
      }
    }
  }

  void LeaveOutOtherNamespaces() {
    if (selection_.namespaces.empty()) return;
    for (int i = 0; i < snapshot_.processes_size(); ++i) {
      const Process& process = snapshot_.processes(i);
      if (!Passes(process) && !HasThreadThatPasses(process)) ChoiceOf(i) = PsChoice::kLeftOut;
    }
  }

  const Snapshot& snapshot_;
  const SnapshotIndex& index_;
  const PidMap& pids_;
  const PsRequest& request_;
  PsSelection selection_;
};

}  // namespace

absl::StatusOr<PsSelection> SelectProcesses(const SnapshotIndex& index, const PidMap& pids,
                                            const PsRequest& request) {
  return Selector(index, pids, request).Select();
}

bool IsIn(const nsdisc::NamespaceSet& set, const std::vector<NamespaceLink>& namespaces) {
  return absl::c_all_of(namespaces, [&](const NamespaceLink& wanted) {
    return nsdisc::NamespaceOf(set, wanted.type) == wanted.inode;
  });
}

}  // namespace nsctl::cmd
