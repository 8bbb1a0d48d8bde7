// Draws what `nsctl ps` answers.

#ifndef NSCTL_CMD_PS_TEXT_H_
#define NSCTL_CMD_PS_TEXT_H_

#include "cmd/presentation.h"
#include "cmd/ps.pb.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// One line per row, below its parent:
//   pid:[4026531836], owned by UID 0 ("root")
//   └─ "systemd" (1)
//      └─ pid:[4026532333], owned by UID 0 ("root")
//         └─ "sh" (6427/7) controlled by "/docker/c8bf69d06514…"
// Below the hundredth level lines are not indented further, but begin with their level: else the
// indentation of a deep tree would grow with the square of its depth.
void PrintProcessTree(const ProcessTree& tree, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PS_TEXT_H_
