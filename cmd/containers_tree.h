// What `nsctl containers` answers, as a tree for people.

#ifndef NSCTL_CMD_CONTAINERS_TREE_H_
#define NSCTL_CMD_CONTAINERS_TREE_H_

#include "cmd/containers.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// Engines, below each its projects, its pods, then containers that are in neither, each by name (of
// a project those that are in no pod);
// below a container the engines that run in it. Every container is drawn once, whatever the list
// says of who is in whom.
void PrintContainerTree(const ContainerList& list, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CONTAINERS_TREE_H_
