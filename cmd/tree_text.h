// Draws what `nsctl tree` answers.

#ifndef NSCTL_CMD_TREE_TEXT_H_
#define NSCTL_CMD_TREE_TEXT_H_

#include "cmd/presentation.h"
#include "cmd/tree.pb.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// One line per namespace, below its parent:
//   user:[4026531837] process "systemd" (1) created by UID 0 ("root")
//   │  ⋄─ net:[4026531840] process "systemd" (1)
//   └─ user:[4026532454] process "unshare" (98171) created by UID 1000 ("ann")
// With `details`, below it what NodeFacts (tree_facts.h) tells.
void PrintTree(const NamespaceTree& tree, const Presentation& presentation, bool details,
               Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_TEXT_H_
