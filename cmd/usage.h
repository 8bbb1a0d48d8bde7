// Errors of whoever typed the command line.

#ifndef NSCTL_CMD_USAGE_H_
#define NSCTL_CMD_USAGE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// INVALID_ARGUMENT that makes the exit status 2.
absl::Status UsageError(absl::string_view message);
bool IsUsageError(const absl::Status& status);

// `argument` (bytes that a user typed) in double quotes, safe for a terminal, cut when it is long.
std::string QuotedArgument(absl::string_view argument);

// The words of all `lists`, each a list that commas separate. Words may be empty.
std::vector<std::string> SplitLists(const std::vector<std::string>& lists);

// UsageError: unknown `what` "`word`"; did you mean "x"? The question only where a candidate is
// near.
absl::Status UnknownWord(absl::string_view what, absl::string_view word,
                         const std::vector<std::string>& candidates);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_USAGE_H_
