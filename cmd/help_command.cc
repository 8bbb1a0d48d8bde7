#include "cmd/help_command.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/command_table.h"
#include "cmd/help_text.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "help",
    .alias = nullptr,
    .summary = "what a command does and takes",
    .arguments = "[COMMAND [SUBCOMMAND]]",
    .description = "Explains COMMAND, or lists all commands.",
    .examples =
        "nsctl help list\n"
        "nsctl help fs cp",
};

class HelpCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("command", command_, "the command to explain")->type_name("COMMAND");
    app->add_option("subcommand", subcommand_, "one of its own commands")->type_name("SUBCOMMAND");
  }

  std::vector<Choice> ChoicesOf(absl::string_view) const override { return {}; }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (command_.empty()) {
      env.out->Append(OverviewText(env.commands));
      return ExitStatus::kDone;
    }
    const CommandEntry* entry = FindCommand(command_, env.commands);
    if (entry == nullptr) return UnknownCommand("command", command_, env.commands);
    const CommandEntry* parent = nullptr;
    if (!subcommand_.empty()) {
      parent = std::exchange(entry, FindCommand(subcommand_, entry->subcommands));
      if (entry == nullptr) {
        return UnknownCommand(absl::StrCat(parent->info->name, " command"), subcommand_,
                              parent->subcommands);
      }
    }
    env.out->Append(CommandHelpText(parent == nullptr ? "" : parent->info->name, *entry));
    return ExitStatus::kDone;
  }

 private:
  std::string command_;
  std::string subcommand_;
};

}  // namespace

const CommandEntry kHelpCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<HelpCommand>(); }};

}  // namespace nsctl::cmd
