// Transcripts of shell sessions, as golden tests keep them.
//
//   # Comments and empty lines stay as they are.
//   $ COLUMNS=60 nsctl snapshot --from 'a file' | nsctl list --from -
//   | a line of stdout
//   ! a line of stderr
//   ? 3
//
// "?" gives the exit status of the last command of the pipeline where it is not 0. Control
// characters are shown as their pictures: ESC as U+241B. "\" alone says that stdout did not end
// with a newline.

#ifndef NSCTL_CMD_TRANSCRIPT_H_
#define NSCTL_CMD_TRANSCRIPT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace nsctl::cmd {

struct TranscriptCommand {
  // What stands before the command's name: "COLUMNS=60".
  std::map<std::string, std::string> variables;
  // The name comes first.
  std::vector<std::string> words;

  friend bool operator==(const TranscriptCommand&, const TranscriptCommand&) = default;
};

struct TranscriptResult {
  std::string out;
  std::string err;
  int status = 0;
};

// The commands of a pipeline. Knows 'single quotes' and $'C escapes', and nothing else of a shell.
std::vector<TranscriptCommand> ParseCommandLine(absl::string_view line);

// `transcript` with what every command line in it gives now. `run` gets a command and its stdin.
std::string Rerun(
    absl::string_view transcript,
    absl::FunctionRef<TranscriptResult(const TranscriptCommand&, const std::string& input)> run);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TRANSCRIPT_H_
