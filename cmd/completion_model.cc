#include "cmd/completion_model.h"

#include <memory>

#include "CLI/App.hpp"
#include "absl/strings/str_cat.h"
#include "cmd/parse.h"

namespace nsctl::cmd {
namespace {

std::vector<Choice> CommandNames(absl::Span<const CommandEntry> commands) {
  std::vector<Choice> names;
  for (const CommandEntry& entry : commands) names.push_back({entry.info->name, ""});
  return names;
}

CompletionOption MakeOption(const CLI::Option& option, const Command& command) {
  CompletionOption result;
  result.long_name = absl::StrCat("--", option.get_lnames().front());
  if (!option.get_snames().empty()) {
    result.short_name = absl::StrCat("-", option.get_snames().front());
  }
  result.summary = option.get_description();
  result.placeholder = PlaceholderOf(option);
  result.choices = command.ChoicesOf(result.placeholder.word);
  return result;
}

// Options and arguments of a command without subcommands. `commands` are all of nsctl's.
void AddUse(const CommandEntry& entry, absl::Span<const CommandEntry> commands,
            CompletionCommand* result) {
  const std::unique_ptr<Command> command = entry.make();
  const std::unique_ptr<CLI::App> app = MakeParser(*command);
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_positional()) {
      result->options.push_back(MakeOption(*option, *command));
      continue;
    }
    if (!result->arguments.empty()) continue;
    const std::string word = PlaceholderOf(*option).word;
    result->arguments = word == "COMMAND" ? CommandNames(commands) : command->ChoicesOf(word);
  }
}

std::vector<CompletionCommand> MakeModel(absl::Span<const CommandEntry> entries,
                                         absl::Span<const CommandEntry> commands) {
  std::vector<CompletionCommand> model;
  for (const CommandEntry& entry : entries) {
    CompletionCommand& result = model.emplace_back();
    result.names.push_back(entry.info->name);
    if (entry.info->alias != nullptr) result.names.push_back(entry.info->alias);
    result.summary = entry.info->summary;
    result.subcommands = MakeModel(entry.subcommands, commands);
    if (entry.subcommands.empty()) {
      AddUse(entry, commands, &result);
    } else {
      result.arguments = CommandNames(entry.subcommands);
    }
  }
  return model;
}

}  // namespace

std::vector<CompletionCommand> MakeCompletionModel(absl::Span<const CommandEntry> commands) {
  return MakeModel(commands, commands);
}

}  // namespace nsctl::cmd
