// What goes to stderr.

#ifndef NSCTL_CMD_DIAGNOSTICS_H_
#define NSCTL_CMD_DIAGNOSTICS_H_

#include "absl/strings/string_view.h"
#include "cmd/environment.h"

namespace nsctl::cmd {

// Writes the line "nsctl: COMMAND: message", or "nsctl: message" where `command` is empty. Whatever
// could drive a terminal or break the line is escaped.
void Complain(Environment& env, absl::string_view command, absl::string_view message);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_DIAGNOSTICS_H_
