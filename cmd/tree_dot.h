// What `nsctl tree` answers, as a graph.

#ifndef NSCTL_CMD_TREE_DOT_H_
#define NSCTL_CMD_TREE_DOT_H_

#include "cmd/tree.pb.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// A node for each namespace, with its leaders and, with `details`, what NodeFacts (tree_facts.h)
// tells; edges lead from parents to children, and from owners to what they own, which they say.
void WriteTreeGraph(const NamespaceTree& tree, bool details, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TREE_DOT_H_
