// What is told of a namespace in a tree with --details.

#ifndef NSCTL_CMD_TREE_FACTS_H_
#define NSCTL_CMD_TREE_FACTS_H_

#include <string>
#include <vector>

#include "cmd/tree.pb.h"

namespace nsctl::cmd {

// One line each, as stored text, of what is known: what holds it ("held by process 3, fd 1"), names
// and nsid, host name, maps, clock offsets, number of mounts, 64-bit id.
std::vector<std::string> NodeFacts(const NamespaceTree::Node& node);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_FACTS_H_
