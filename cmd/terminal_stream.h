// Makes a stream of bytes safe for a terminal, piece by piece.

#ifndef NSCTL_CMD_TERMINAL_STREAM_H_
#define NSCTL_CMD_TERMINAL_STREAM_H_

#include <string>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// Newlines and tabs stay, and so do backslashes; all else that base::TerminalText escapes, and what
// is not valid UTF-8, is escaped. How the stream is cut into pieces makes no difference.
class TerminalStream {
 public:
  std::string Escape(absl::string_view piece);
  // What was held back as the beginning of a character.
  std::string Finish();

 private:
  std::string held_;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TERMINAL_STREAM_H_
