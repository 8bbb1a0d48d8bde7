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
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// For the places of _arguments where ":" and brackets have a meaning.
std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {":", "\\:"}, {"[", "\\["}, {"]", "\\]"}});
}

std::string Words(const std::vector<Choice>& choices) {
  return absl::StrJoin(choices, " ", [](std::string* out, const Choice& choice) {
    absl::StrAppend(out, choice.value);
  });
}

std::string ActionFor(const CompletionOption& option) {
  if (option.TakesFile()) return "_files";
  if (option.TakesDirectory()) return "_files -/";
  if (option.choices.empty()) return " ";
  const std::string words = Words(option.choices);
  return option.placeholder.list ? absl::StrCat("_sequence compadd - ", words)
                                 : absl::StrCat("(", words, ")");
}

// One specification of _arguments: '(-o --output)'{-o+,--output=}'[summary]:FORMAT:(table json)'.
std::string OptionSpec(const CompletionOption& option) {
  const Placeholder& placeholder = option.placeholder;
  std::string value;
  // "=-" takes a value only in the same word.
  const char* const mark = placeholder.word.empty() ? "" : placeholder.optional ? "=-" : "=";
  if (!placeholder.word.empty()) {
    value =
        absl::StrCat(placeholder.optional ? "::" : ":", placeholder.word, ":", ActionFor(option));
  }
  const std::string rest = absl::StrCat("[", Escape(option.summary), "]", value);
  if (option.short_name.empty()) return Quote(absl::StrCat(option.long_name, mark, rest));
  return absl::StrCat(Quote(absl::StrCat("(", option.short_name, " ", option.long_name, ")")), "{",
                      option.short_name, placeholder.word.empty() ? "" : "+", ",", option.long_name,
                      mark, "}", Quote(rest));
}

// The words of `commands` with what they do, then the branches of each, for the second of $words.
void AppendChoice(const std::vector<CompletionCommand>& commands, std::string* out);

void AppendCommand(const CompletionCommand& command, std::string* out) {
  absl::StrAppend(out, "    ", absl::StrJoin(command.names, " | "), ")\n");
  if (!command.subcommands.empty()) {
    AppendChoice(command.subcommands, out);
    absl::StrAppend(out, "      ;;\n");
    return;
  }
  absl::StrAppend(out, "      _arguments -s");
  for (const CompletionOption& option : command.options) {
    absl::StrAppend(out, " \\\n        ", OptionSpec(option));
  }
  if (!command.arguments.empty()) {
    absl::StrAppend(out, " \\\n        ",
                    Quote(absl::StrCat("1: :(", Words(command.arguments), ")")));
  }
  absl::StrAppend(out, "\n      ;;\n");
}

void AppendChoice(const std::vector<CompletionCommand>& commands, std::string* out) {
  absl::StrAppend(out,
                  "  if (( CURRENT == 2 )); then\n"
                  "    local -a commands=(\n");
  for (const CompletionCommand& command : commands) {
    for (const std::string& name : command.names) {
      absl::StrAppend(out, "      ", Quote(absl::StrCat(name, ":", Escape(command.summary))), "\n");
    }
  }
  absl::StrAppend(out,
                  "    )\n"
                  "    _describe -t commands command commands\n"
                  "    return\n"
                  "  fi\n"
                  "  local name=$words[2]\n"
                  "  shift words\n"
                  "  (( CURRENT-- ))\n"
                  "  case $name in\n");
  for (const CompletionCommand& command : commands) AppendCommand(command, out);
  absl::StrAppend(out, "  esac\n");
}

}  // namespace

std::string ZshCompletion(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "#compdef nsctl\n"
      "# zsh completion for nsctl. To use it: source <(nsctl completion zsh)\n"
      "\n"
      "_nsctl() {\n";
  AppendChoice(commands, &out);
  // Read as an autoloaded function the file is its body; sourced, it only defines and registers.
  absl::StrAppend(&out,
                  "}\n"
                  "\n"
                  "if [[ $funcstack[1] == _nsctl ]]; then\n"
                  "  _nsctl \"$@\"\n"
                  "else\n"
                  "  compdef _nsctl nsctl\n"
                  "fi\n");
  return out;
}

}  // namespace nsctl::cmd
