// What shells need to know of the commands to complete their words.

#ifndef NSCTL_CMD_COMPLETION_MODEL_H_
#define NSCTL_CMD_COMPLETION_MODEL_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cmd/command.h"
#include "cmd/placeholder.h"

namespace nsctl::cmd {

struct CompletionOption {
  // "--output"
  std::string long_name;
  // "-o"; empty where there is none.
  std::string short_name;
  std::string summary;
  // Of the value; empty for flags.
  Placeholder placeholder;
  // What the value may be; none where it may be anything.
  std::vector<Choice> choices;

  // The value names a file, or a directory.
  bool TakesFile() const { return placeholder.word == "FILE"; }
  bool TakesDirectory() const { return placeholder.word == "DIR"; }
};

struct CompletionCommand {
  // The name, then the alias where there is one.
  std::vector<std::string> names;
  std::string summary;
  std::vector<CompletionOption> options;
  // The words of the first argument; none where there is none or it may be anything.
  std::vector<Choice> arguments;
  // What the first argument chooses from; options are theirs then.
  std::vector<CompletionCommand> subcommands;
};

std::vector<CompletionCommand> MakeCompletionModel(absl::Span<const CommandEntry> commands);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMPLETION_MODEL_H_
