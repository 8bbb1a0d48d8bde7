// A snapshot in the JSON that lxkns serves at /api/namespaces, for the clients of that.
//
// The shape is theirs, to the key: clients refuse top-level keys that they do not know. What the
// snapshot was taken without (mounts, containers) is left out or empty, and "discovery-options"
// says so of mounts.

#ifndef NSCTL_CMD_LXKNS_JSON_H_
#define NSCTL_CMD_LXKNS_JSON_H_

#include "cmd/writer.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::cmd {

// Writes one object, indented by two blanks, and a newline. Ids ascend. Text is the kernel's bytes
// with all that is not valid UTF-8 replaced by U+FFFD.
void WriteLxknsJson(const nsdisc::Snapshot& snapshot, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_LXKNS_JSON_H_
