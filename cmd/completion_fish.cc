#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/completion_scripts.h"

namespace nsctl::cmd {
namespace {

// `text` within single quotes.
std::string Quote(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string Words(const std::vector<Choice>& choices) {
  return absl::StrJoin(choices, " ", [](std::string* out, const Choice& choice) {
    absl::StrAppend(out, choice.value);
  });
}

std::string ValueOf(const CompletionOption& option) {
  if (option.placeholder.word.empty()) return "";
  if (option.TakesFile()) return " -r -F";
  if (option.TakesDirectory()) return " -x -a '(__fish_complete_directories)'";
  // What may be left out is not required after the option.
  const char* const required = option.placeholder.optional ? " -f" : " -x";
  if (option.choices.empty()) return required;
  const std::string words = Words(option.choices);
  if (!option.placeholder.list) return absl::StrCat(required, " -a ", Quote(words));
  return absl::StrCat(required, " -a ", Quote(absl::StrCat("(__fish_append , ", words, ")")));
}

// `due` is the condition under which the name of `command` is due; `before` is part of that of its
// options.
void AppendCommand(const CompletionCommand& command, absl::string_view due,
                   absl::string_view before, std::string* out) {
  const std::string seen =
      absl::StrCat(before, "__fish_seen_subcommand_from ", absl::StrJoin(command.names, " "));
  for (const std::string& name : command.names) {
    absl::StrAppend(out, "complete -c nsctl -n ", due, " -a ", name, " -d ", Quote(command.summary),
                    "\n");
  }
  if (!command.subcommands.empty()) {
    std::vector<std::string> names;
    for (const CompletionCommand& subcommand : command.subcommands) {
      names.insert(names.end(), subcommand.names.begin(), subcommand.names.end());
    }
    const std::string none = Quote(
        absl::StrCat(seen, "; and not __fish_seen_subcommand_from ", absl::StrJoin(names, " ")));
    for (const CompletionCommand& subcommand : command.subcommands) {
      AppendCommand(subcommand, none, absl::StrCat(seen, "; and "), out);
    }
    return;
  }
  const std::string when = Quote(seen);
  for (const CompletionOption& option : command.options) {
    const std::string short_name =
        option.short_name.empty() ? "" : absl::StrCat(" -s ", option.short_name.substr(1));
    absl::StrAppend(out, "complete -c nsctl -n ", when, short_name, " -l ",
                    option.long_name.substr(2), ValueOf(option), " -d ", Quote(option.summary),
                    "\n");
  }
  if (!command.arguments.empty()) {
    absl::StrAppend(out, "complete -c nsctl -n ", when, " -a ", Quote(Words(command.arguments)),
                    "\n");
  }
}

}  // namespace

std::string FishCompletion(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "# fish completion for nsctl. To use it: nsctl completion fish | source\n"
      "complete -c nsctl -f\n";
  for (const CompletionCommand& command : commands)
    AppendCommand(command, "__fish_use_subcommand", "", &out);
  return out;
}

}  // namespace nsctl::cmd
