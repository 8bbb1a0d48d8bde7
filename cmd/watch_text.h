// Changes of containers and engines, a line each.

#ifndef NSCTL_CMD_WATCH_TEXT_H_
#define NSCTL_CMD_WATCH_TEXT_H_

#include <string>

#include "engines/container.pb.h"

namespace nsctl::cmd {

// "2025-01-01T12:00:00.250Z started container "web" (772c08635646) of docker, process 1234": when
// it happened, or was learnt of where the engine does not say, what, and to whom. Safe for a
// terminal, without a newline.
std::string ChangeText(const engines::Change& change);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_WATCH_TEXT_H_
