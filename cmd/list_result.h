// From a snapshot to what `nsctl list` answers.

#ifndef NSCTL_CMD_LIST_RESULT_H_
#define NSCTL_CMD_LIST_RESULT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "cmd/list.pb.h"
#include "cmd/pid_reference.h"
#include "nsdisc/holders.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

struct ListFilter {
  // Empty: all.
  std::vector<base::NamespaceType> types = {};
  // Only these; empty: all.
  std::vector<NamespaceReference> namespaces = {};
  // Only namespaces that one of these processes, or a thread of such a number, is in; empty: all.
  std::vector<PidReference> pids = {};
  // Only namespaces in one of these states; empty: in any.
  std::vector<NamespaceRow::State> states = {};
  // Only namespaces that this user namespace owns, and those whose parent it is.
  std::optional<uint32_t> owner = std::nullopt;
  // Only namespaces in which a process of this control group, or of one below it, is; empty: any.
  // As the kernel spells it ("/system-a\x2db.slice"), or as results have it.
  std::string cgroup = "";
  // Only namespaces that have a holder of one of these kinds; empty: all.
  std::vector<nsdisc::HolderKind> held_by = {};
};

// The namespaces of `snapshot` that pass `filter`. Errors: NOT_FOUND where `snapshot` has no such
// process, namespace or owner, or no process in the control group.
absl::StatusOr<NamespaceList> BuildNamespaceList(const nsdisc::Snapshot& snapshot,
                                                 const ListFilter& filter);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LIST_RESULT_H_
