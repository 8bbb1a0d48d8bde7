// The shape of a subcommand.
//
// A command is made for one invocation: AddOptions binds its members to the parser, which fills
// them, then Run does the work. docs/adding-a-command.md walks through one.

#ifndef NSCTL_CMD_COMMAND_H_
#define NSCTL_CMD_COMMAND_H_

#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cmd/environment.h"
#include "cmd/exit_status.h"

namespace nsctl::cmd {

// Whether a command reads files whose servers may never answer, so that it is run as run_apart.h
// says; and whether it may be run again as long as it has written nothing.
enum class Apart { kNo, kOnce, kAgain };

// What help says. Texts are plain ASCII, without a newline at their end, lines at most 79 long.
struct CommandInfo {
  const char* name;
  // A second name; nullptr for none.
  const char* alias;
  // One line, lower-case.
  const char* summary;
  // What follows "nsctl NAME [options]" in the synopsis.
  const char* arguments;
  const char* description;
  // One per line.
  const char* examples;
  Apart apart = Apart::kNo;
  // What the command exits with where it fails, but for wrong usage.
  ExitStatus failed = ExitStatus::kFailed;
};

// A word that may stand for a placeholder, as help and completion offer it.
struct Choice {
  std::string value;
  std::string summary;
};

// In the same order.
inline std::vector<std::string> ValuesOf(const std::vector<Choice>& choices) {
  std::vector<std::string> values;
  values.reserve(choices.size());
  for (const Choice& choice : choices) values.push_back(choice.value);
  return values;
}

class Command {
 public:
  virtual ~Command() = default;

  // Every option that takes a value has a type name, its placeholder in help: "FORMAT". Positional
  // arguments have one too.
  virtual void AddOptions(CLI::App* app) = 0;

  // The words that `placeholder` stands for; none where it may be anything.
  virtual std::vector<Choice> ChoicesOf(absl::string_view placeholder) const = 0;

  // False where "-h" is an option of its own, as people know it; --help is left.
  virtual bool ShortHelp() const { return true; }

  // Sees the words behind the command's name before they are parsed by `app`, and may rewrite them:
  // for a command line that holds another.
  virtual void TakeWords(const CLI::App& /*app*/, std::vector<std::string>* /*words*/) {}

  // Errors become one line on stderr; UsageError (usage.h) makes the exit status 2, UNIMPLEMENTED
  // 4, all others 1.
  virtual absl::StatusOr<ExitStatus> Run(Environment& env) = 0;
};

struct CommandEntry {
  const CommandInfo* info;
  // nullptr where there are subcommands.
  std::unique_ptr<Command> (*make)();
  // The commands that the word after this one's name chooses from, in the order in which help lists
  // them.
  absl::Span<const CommandEntry> subcommands = {};
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_COMMAND_H_
