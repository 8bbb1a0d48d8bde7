// Which processes `nsctl ps` shows.

#ifndef NSCTL_CMD_PS_SELECTION_H_
#define NSCTL_CMD_PS_SELECTION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "cmd/pid_reference.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

struct PsRequest {
  // Only these processes, their ancestors and their descendants; empty: all. Where `namespaces`
  // has one PID namespace, a number without a namespace is one of the scanned namespace or of that
  // one, whichever is a process in it.
  std::vector<PidReference> pids = {};
  // Only processes that are in all of these.
  std::vector<NamespaceReference> namespaces = {};
  // Threads too; those that are in all of `namespaces`.
  bool threads = false;
};

enum class PsChoice : uint8_t {
  kLeftOut,
  // An ancestor or descendant of what was asked for.
  kRelative,
  kWanted,
};

struct PsSelection {
  // By position in the snapshot's processes.
  std::vector<PsChoice> choices;
  // The position of each process's parent; nullopt where the snapshot does not have it.
  std::vector<std::optional<int>> parents;
  // What a thread must be in to be shown.
  std::vector<base::NamespaceLink> namespaces;
};

// Errors: NOT_FOUND where the snapshot lacks what the request names; FAILED_PRECONDITION where a
// number means two processes.
absl::StatusOr<PsSelection> SelectProcesses(const nsdisc::SnapshotIndex& index,
                                            const nsdisc::PidMap& pids, const PsRequest& request);

// True where `set` has all of `namespaces`.
bool IsIn(const nsdisc::NamespaceSet& set, const std::vector<base::NamespaceLink>& namespaces);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PS_SELECTION_H_
