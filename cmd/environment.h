// All that a command sees of the world, so that tests run whole commands in one process.

#ifndef NSCTL_CMD_ENVIRONMENT_H_
#define NSCTL_CMD_ENVIRONMENT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/fd.h"
#include "cmd/system.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

struct CommandEntry;

// The environment variables that commands look at.
struct Variables {
  // NO_COLOR is set and not empty (no-color.org).
  bool no_color = false;
  // COLUMNS, as the shell set it.
  std::string columns = "";
  // The first of LC_ALL, LC_CTYPE and LANG that is not empty: it names the terminal's encoding.
  std::string locale = "";
  // All of them, as "NAME=VALUE": what a command that is started inherits.
  std::vector<std::string> all = {};
};

// Members are borrowed and outlive the command.
struct Environment {
  base::FdRef in;
  Writer* out;
  Writer* err;
  bool out_is_terminal = false;
  // Of the terminal, in cells; 0: unknown.
  size_t terminal_width = 0;
  // Of a line on stderr that can be written over: how far something is. 0: stderr has none.
  size_t progress_width = 0;
  Variables variables;
  System* system;
  // Every command there is, for those that speak of others.
  absl::Span<const CommandEntry> commands;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_ENVIRONMENT_H_
