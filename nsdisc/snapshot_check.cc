// The half of snapshot_io.h that looks at messages, not at bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "google/protobuf/repeated_field.h"
#include "nsdisc/containers.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;

// The kernel nests user and PID namespaces 33 deep (user_namespaces(7), pid_namespaces(7)).
constexpr int kMaxDepth = 64;
constexpr size_t kMaxQuoted = 40;

template <typename... Args>
absl::Status Fault(const Args&... args) {
  return absl::InvalidArgumentError(absl::StrCat(args...));
}

template <typename T>
bool StrictlyAscending(const google::protobuf::RepeatedField<T>& list) {
  return std::adjacent_find(list.begin(), list.end(), std::greater_equal<T>()) == list.end();
}

std::string NameOf(const Namespace& ns) {
  const std::optional<NamespaceType> type = FromProto(ns.type());
  return type.has_value() ? base::NamespaceLinkText(*type, ns.inode())
                          : absl::StrCat("namespace ", ns.inode());
}

absl::Status CheckFormat(const Snapshot& snapshot) {
  if (snapshot.format() != kSnapshotFormat) {
    return Fault("not a snapshot of the format ", kSnapshotFormat, " but \"",
                 base::TruncateToWidth(base::TerminalText(snapshot.format()), kMaxQuoted, "..."),
                 "\"");
  }
  if (!snapshot.complete()) return Fault("cut short: the mark of its end is missing");
  if (!IsTime(snapshot.taken_at())) return Fault("inconsistent: taken_at is no time");
  return absl::OkStatus();
}

absl::Status CheckCount(absl::string_view what, int64_t stated, int64_t counted) {
  if (stated == counted) return absl::OkStatus();
  return Fault("cut short or changed: it states ", stated, " ", what, " and has ", counted);
}

absl::Status CheckStatistics(const Snapshot& snapshot) {
  const ScanStatistics& statistics = snapshot.statistics();
  int64_t threads = 0;
  for (const Process& process : snapshot.processes()) threads += process.threads_size();
  NSCTL_RETURN_IF_ERROR(
      CheckCount("namespaces", statistics.namespaces(), snapshot.namespaces_size()));
  NSCTL_RETURN_IF_ERROR(CheckCount("processes", statistics.processes(), snapshot.processes_size()));
  NSCTL_RETURN_IF_ERROR(CheckCount("threads", statistics.threads(), threads));
  int64_t mounts = 0;
  for (const mounttree::MountNamespace& ns : snapshot.mounts()) mounts += ns.mounts_size();
  NSCTL_RETURN_IF_ERROR(CheckCount("mounts", statistics.mounts(), mounts));
  NSCTL_RETURN_IF_ERROR(
      CheckCount("containers", statistics.containers(), snapshot.containers_size()));
  return CheckCount("gaps", statistics.gaps(), snapshot.gaps_size());
}

absl::Status CheckListsOf(const Namespace& ns) {
  if (ns.type() == Namespace::user && ns.has_owner()) {
    return Fault("inconsistent: ", NameOf(ns), " has an owner, not a parent");
  }
  if (!StrictlyAscending(ns.children()) || !StrictlyAscending(ns.leaders()) ||
      !StrictlyAscending(ns.loose_threads()) || !StrictlyAscending(ns.for_children_of())) {
    return Fault("inconsistent: a list of ", NameOf(ns), " is not in order");
  }
  return absl::OkStatus();
}

template <typename List, typename Key>
bool InOrder(const List& list, const Key& key) {
  return std::is_sorted(list.begin(), list.end(),
                        [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

// The lists of holders may be cut, and then state more than they have.
absl::Status CheckHoldersOf(const Namespace& ns) {
  const auto place = [](const FdHolder& holder) {
    return std::make_tuple(holder.pid(), holder.tid(), holder.fd());
  };
  const auto mount = [](const BindMount& one) {
    return std::make_tuple(one.mount_namespace(), absl::string_view(one.path()), one.mount_id());
  };
  if (!InOrder(ns.fds(), place) || !InOrder(ns.sockets(), place) ||
      !InOrder(ns.bind_mounts(), mount)) {
    return Fault("inconsistent: the holders of ", NameOf(ns), " are not in order");
  }
  if (ns.fd_count() < static_cast<uint32_t>(ns.fds_size()) ||
      ns.socket_count() < static_cast<uint32_t>(ns.sockets_size()) ||
      ns.bind_mount_count() < static_cast<uint32_t>(ns.bind_mounts_size())) {
    return Fault("inconsistent: ", NameOf(ns), " lists more holders than it states");
  }
  return absl::OkStatus();
}

// Of types that are not known only the place is checked: after all others.
absl::Status CheckNamespaces(const Snapshot& snapshot) {
  const Namespace* last = nullptr;
  bool seen_unknown = false;
  for (const Namespace& ns : snapshot.namespaces()) {
    if (!FromProto(ns.type()).has_value()) {
      seen_unknown = true;
      continue;
    }
    const bool in_order = last == nullptr || std::make_tuple(last->type(), last->inode()) <
                                                 std::make_tuple(ns.type(), ns.inode());
    if (seen_unknown || !in_order) {
      return Fault("inconsistent: ", NameOf(ns), " is not in order");
    }
    NSCTL_RETURN_IF_ERROR(CheckListsOf(ns));
    NSCTL_RETURN_IF_ERROR(CheckHoldersOf(ns));
    last = &ns;
  }
  return absl::OkStatus();
}

std::string NameOf(const engines::Container& container) {
  return base::TruncateToWidth(base::TerminalText(container.id()), kMaxQuoted, "...");
}

absl::Status CheckContainers(const Snapshot& snapshot) {
  const auto id_of = [](const auto& message) {
    return std::make_tuple(absl::string_view(message.engine()),
                           absl::string_view(message.native_namespace()),
                           absl::string_view(message.id()));
  };
  const auto key_of = [](const engines::Engine& engine) { return absl::string_view(engine.key()); };
  if (!InOrder(snapshot.engines(), key_of) || !InOrder(snapshot.containers(), id_of) ||
      !InOrder(snapshot.pods(), id_of)) {
    return Fault("inconsistent: engines, containers or pods are not in order");
  }
  for (const engines::Container& container : snapshot.containers()) {
    if (!IsTime(container.created_at()) || !IsTime(container.started_at()) ||
        !IsTime(container.finished_at())) {
      return Fault("inconsistent: a time of container ", NameOf(container), " is no time");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckProcesses(const Snapshot& snapshot) {
  const auto has_cgroups = [&snapshot](const auto& task) {
    return !task.has_cgroups() || task.cgroups() < static_cast<uint32_t>(snapshot.cgroups_size());
  };
  int32_t last_pid = 0;
  for (const Process& process : snapshot.processes()) {
    if (process.pid() <= last_pid) {
      return Fault("inconsistent: process ", process.pid(), " is not in order");
    }
    last_pid = process.pid();
    if (!has_cgroups(process)) {
      return Fault("inconsistent: process ", process.pid(), " refers to no cgroups");
    }
    if (process.has_container() && ContainerOf(snapshot, process) == nullptr) {
      return Fault("inconsistent: process ", process.pid(), " refers to no container");
    }
    int32_t last_tid = 0;
    for (const Thread& thread : process.threads()) {
      if (thread.tid() <= last_tid) {
        return Fault("inconsistent: thread ", thread.tid(), " is not in order");
      }
      last_tid = thread.tid();
      if (!has_cgroups(thread)) {
        return Fault("inconsistent: thread ", thread.tid(), " refers to no cgroups");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMounts(const Snapshot& snapshot) {
  const mounttree::MountNamespace* last = nullptr;
  for (const mounttree::MountNamespace& ns : snapshot.mounts()) {
    if (last != nullptr && last->inode() >= ns.inode()) {
      return Fault("inconsistent: the mounts of mnt:[", ns.inode(), "] are not in order");
    }
    last = &ns;
  }
  return absl::OkStatus();
}

// The parent of `ns`; nullptr where it has none or the snapshot has it not.
const Namespace* ParentOf(const SnapshotIndex& index, const Namespace& ns) {
  const std::optional<NamespaceType> type = FromProto(ns.type());
  if (!ns.has_parent() || !type.has_value()) return nullptr;
  return index.FindNamespace(*type, ns.parent());
}

// A parent lists its children and they name it, so who walks down cannot walk in a circle either.
absl::Status CheckFamily(const SnapshotIndex& index, const Namespace& ns) {
  const Namespace* const parent = ParentOf(index, ns);
  if (parent != nullptr &&
      !std::binary_search(parent->children().begin(), parent->children().end(), ns.inode())) {
    return Fault("inconsistent: ", NameOf(ns), " is not among its parent's children");
  }
  const std::optional<NamespaceType> type = FromProto(ns.type());
  for (const uint32_t inode : ns.children()) {
    const Namespace* const child = type.has_value() ? index.FindNamespace(*type, inode) : nullptr;
    if (child == nullptr || !child->has_parent() || child->parent() != ns.inode()) {
      return Fault("inconsistent: ", NameOf(ns), " lists a child that is none of its own");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNamespaceTree(const SnapshotIndex& index) {
  for (const Namespace& ns : index.snapshot().namespaces()) {
    if (!FromProto(ns.type()).has_value()) continue;
    NSCTL_RETURN_IF_ERROR(CheckFamily(index, ns));
    int depth = 0;
    for (const Namespace* at = &ns; at != nullptr; at = ParentOf(index, *at)) {
      if (++depth > kMaxDepth) {
        return Fault("inconsistent: the parents of ", NameOf(ns), " have no end");
      }
    }
  }
  return absl::OkStatus();
}

// Processes may be nested as deep as there are processes, so each is walked over once.
absl::Status CheckProcessTree(const Snapshot& snapshot) {
  const auto& processes = snapshot.processes();
  const auto parent_of = [&processes](int i) -> std::optional<int> {
    const int32_t pid = processes[i].parent_pid();
    const auto parent =
        std::lower_bound(processes.begin(), processes.end(), pid,
                         [](const Process& process, int32_t key) { return process.pid() < key; });
    if (parent == processes.end() || parent->pid() != pid) return std::nullopt;
    return static_cast<int>(parent - processes.begin());
  };
  // The process that the walk which passed here started from; -1: none yet.
  std::vector<int> walk_from(static_cast<size_t>(processes.size()), -1);
  for (int start = 0; start < processes.size(); ++start) {
    std::optional<int> at = start;
    while (at.has_value() && walk_from[static_cast<size_t>(*at)] < 0) {
      walk_from[static_cast<size_t>(*at)] = start;
      at = parent_of(*at);
    }
    if (at.has_value() && walk_from[static_cast<size_t>(*at)] == start) {
      return Fault("inconsistent: the parents of process ", processes[*at].pid(), " form a circle");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSnapshot(const Snapshot& snapshot) {
  NSCTL_RETURN_IF_ERROR(CheckFormat(snapshot));
  NSCTL_RETURN_IF_ERROR(CheckStatistics(snapshot));
  NSCTL_RETURN_IF_ERROR(CheckNamespaces(snapshot));
  NSCTL_RETURN_IF_ERROR(CheckContainers(snapshot));
  NSCTL_RETURN_IF_ERROR(CheckProcesses(snapshot));
  NSCTL_RETURN_IF_ERROR(CheckMounts(snapshot));
  const SnapshotIndex index(snapshot);
  NSCTL_RETURN_IF_ERROR(CheckNamespaceTree(index));
  return CheckProcessTree(snapshot);
}

}  // namespace nsctl::nsdisc
