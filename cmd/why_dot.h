// What `nsctl why` answers, as a graph.

#ifndef NSCTL_CMD_WHY_DOT_H_
#define NSCTL_CMD_WHY_DOT_H_

#include "cmd/why.pb.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

// A node for each namespace and each process that holds one; edges lead from what holds to what is
// held and say in which way. Where it is known that a namespace was not looked into (the kernel
// made it at boot), it is a node like others.
void WriteWhyGraph(const WhyAlive& why, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WHY_DOT_H_
