// What `nsctl inspect` answers, for people.

#ifndef NSCTL_CMD_INSPECT_TEXT_H_
#define NSCTL_CMD_INSPECT_TEXT_H_

#include "cmd/inspect.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// One line per fact, "Key: value", values below each other; further values of a key have their
// lines. What is not known has none.
void PrintInspection(const Inspection& inspection, const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_INSPECT_TEXT_H_
