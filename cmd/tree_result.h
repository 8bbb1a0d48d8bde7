// From a snapshot to what `nsctl tree` answers.

#ifndef NSCTL_CMD_TREE_RESULT_H_
#define NSCTL_CMD_TREE_RESULT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "cmd/pid_reference.h"
#include "cmd/tree.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

struct TreeRequest {
  NamespaceTree::View view = NamespaceTree::user;
  // Which owned namespaces are in the tree; empty: all. In the view `mnt` those alone are. The
  // hierarchy itself is whole.
  std::vector<base::NamespaceType> owned_types;
  // Leave owned namespaces out: only user namespaces are in the tree.
  bool without_owned = false;
  // All leaders of each namespace, not only the one that stands for it.
  bool all_leaders = false;
  // Count what holds each namespace.
  bool details = false;
  // Only namespaces that one of these is in, and what is above them; empty: all.
  std::vector<PidReference> pids = {};
};

// Every namespace of the view is in exactly one place; those whose parent or owner is unknown are
// or hang below roots. Errors: INVALID_ARGUMENT where namespaces nest deeper than any kernel lets
// them; those of FindProcess (pid_reference.h).
absl::StatusOr<NamespaceTree> BuildNamespaceTree(const nsdisc::Snapshot& snapshot,
                                                 const TreeRequest& request);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_RESULT_H_
