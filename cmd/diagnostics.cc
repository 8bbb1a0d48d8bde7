#include "cmd/diagnostics.h"

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::cmd {

void Complain(Environment& env, absl::string_view command, absl::string_view message) {
  const std::string line = absl::StrCat("nsctl: ", command, command.empty() ? "" : ": ",
                                        base::TerminalText(message), "\n");
  env.err->Append(line);
  // Nobody is left to hear of a failure here.
  env.err->Flush().IgnoreError();
}

}  // namespace nsctl::cmd
