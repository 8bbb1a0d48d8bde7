// The "mounts" object of lxkns's JSON.

#ifndef NSCTL_CMD_LXKNS_MOUNTS_H_
#define NSCTL_CMD_LXKNS_MOUNTS_H_

#include "cmd/json_writer.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Writes the mounts of `snapshot`: by mount namespace, then by path, both as keys in the order of
// their text. lxkns's clients look for each namespace among the namespaces and for "/" among its
// paths, and refuse all where they do not find them: mount namespaces without either are left out,
// and so are mounts that have no path. Paths are text, not mountinfo's escapes.
void WriteLxknsMounts(const nsdisc::Snapshot& snapshot, JsonWriter* json);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LXKNS_MOUNTS_H_
