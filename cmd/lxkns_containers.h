// The containers of a snapshot as lxkns's JSON has them.

#ifndef NSCTL_CMD_LXKNS_CONTAINERS_H_
#define NSCTL_CMD_LXKNS_CONTAINERS_H_

#include "cmd/json_writer.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Writes the members "container-engines", "container-groups" and "containers" of an object that is
// open: those with a process, engines and groups that have such. Numbers of engines and groups
// follow the snapshot's order, from 1.
void WriteLxknsContainers(const nsdisc::Snapshot& snapshot, JsonWriter* json);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LXKNS_CONTAINERS_H_
