#include "cmd/completion_command.h"

#include <memory>
#include <string>
#include <vector>

#include "cmd/completion_model.h"
#include "cmd/completion_scripts.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "completion",
    .alias = nullptr,
    .summary = "script for the shell to complete nsctl's words",
    .arguments = "SHELL",
    .description = "Writes the completion script for SHELL: bash, zsh or fish.",
    .examples =
        "source <(nsctl completion bash)\n"
        "nsctl completion zsh > \"${fpath[1]}/_nsctl\"\n"
        "nsctl completion fish > ~/.config/fish/completions/nsctl.fish",
};

class ScriptCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("shell", shell_, "bash, zsh or fish")->type_name("SHELL");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder != "SHELL") return {};
    return {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    const std::vector<CompletionCommand> model = MakeCompletionModel(env.commands);
    if (shell_ == "bash") {
      env.out->Append(BashCompletion(model));
    } else if (shell_ == "zsh") {
      env.out->Append(ZshCompletion(model));
    } else if (shell_ == "fish") {
      env.out->Append(FishCompletion(model));
    } else if (shell_.empty()) {
      return UsageError("which shell: bash, zsh or fish?");
    } else {
      return UnknownWord("shell", shell_, {"bash", "zsh", "fish"});
    }
    return ExitStatus::kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

const CommandEntry kCompletionCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<ScriptCommand>(); }};

}  // namespace nsctl::cmd
