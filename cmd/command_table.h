// Finds commands by the words that users type.

#ifndef NSCTL_CMD_COMMAND_TABLE_H_
#define NSCTL_CMD_COMMAND_TABLE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cmd/command.h"

namespace nsctl::cmd {

// The entry whose name or alias is `word`; nullptr where there is none.
const CommandEntry* FindCommand(absl::string_view word, absl::Span<const CommandEntry> commands);

// The UsageError for a `word` that FindCommand does not find. `what` the word is to be: "command",
// "fs command".
absl::Status UnknownCommand(absl::string_view what, absl::string_view word,
                            absl::Span<const CommandEntry> commands);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMMAND_TABLE_H_
