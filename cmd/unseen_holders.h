// What a scan did not see, and what may hold a namespace there.

#ifndef NSCTL_CMD_UNSEEN_HOLDERS_H_
#define NSCTL_CMD_UNSEEN_HOLDERS_H_

#include <string>
#include <vector>

#include "base/namespace_type.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Whether a namespace of this type may have a holder that is not known because of `gap`.
bool MayHideHolders(const nsdisc::Gap& gap, base::NamespaceType type);

// One line for each source of `snapshot` that was not looked at, and for each kind of gap, that may
// hide holders of a namespace of this type. Safe for a terminal.
std::vector<std::string> DescribeUnseen(const nsdisc::Snapshot& snapshot, base::NamespaceType type);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_UNSEEN_HOLDERS_H_
