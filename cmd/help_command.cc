#include "cmd/help_command.h"

#include <memory>
#include <string>
#include <vector>

#include "cmd/command_table.h"
#include "cmd/help_text.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "help",
    .alias = nullptr,
    .summary = "what a command does and takes",
    .arguments = "[COMMAND]",
    .description = "Explains COMMAND, or lists all commands.",
    .examples = "nsctl help list",
};

class HelpCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("command", command_, "the command to explain")->type_name("COMMAND");
  }

  std::vector<Choice> ChoicesOf(absl::string_view) const override { return {}; }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (command_.empty()) {
      env.out->Append(OverviewText(env.commands));
      return ExitStatus::kDone;
    }
    const CommandEntry* entry = FindCommand(command_, env.commands);
    if (entry == nullptr) return UnknownCommand(command_, env.commands);
    env.out->Append(CommandHelpText(*entry));
    return ExitStatus::kDone;
  }

 private:
  std::string command_;
};

}  // namespace

const CommandEntry kHelpCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<HelpCommand>(); }};

}  // namespace nsctl::cmd
