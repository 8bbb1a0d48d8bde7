// From a snapshot to what `nsctl list` answers.

#ifndef NSCTL_CMD_LIST_RESULT_H_
#define NSCTL_CMD_LIST_RESULT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "cmd/list.pb.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

struct ListFilter {
  // Empty: all.
  std::vector<base::NamespaceType> types;
  // Only namespaces that one of these processes is in; empty: all.
  std::vector<base::Pid> pids;
};

// The namespaces of `snapshot` that pass `filter`. Errors: NOT_FOUND where `snapshot` has no
// process of such a number.
absl::StatusOr<NamespaceList> BuildNamespaceList(const nsdisc::Snapshot& snapshot,
                                                 const ListFilter& filter);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LIST_RESULT_H_
