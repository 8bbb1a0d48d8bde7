// Prints what `nsctl diff` answers.

#ifndef NSCTL_CMD_DIFF_TEXT_H_
#define NSCTL_CMD_DIFF_TEXT_H_

#include "cmd/presentation.h"
#include "cmd/writer.h"
#include "nsdisc/diff.pb.h"

namespace nsctl::cmd {

// What was added (+), removed (-), changed (~) and is not known on one side (?); nothing where that
// is nothing:
//   --- monday.pb 2025-01-06T00:00:00Z
//   +++ live 2025-01-07T00:00:00Z
//   + net:[4026532300] of process 900
//   ~ process "sh" (1600/1)
//       namespaces.net: 4026531840 -> 4026532300
void PrintDiff(const nsdisc::SnapshotDiff& diff, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DIFF_TEXT_H_
