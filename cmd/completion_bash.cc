#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/completion_scripts.h"

namespace nsctl::cmd {
namespace {

// Sets `option` and `word` to what is being completed, `prefix` to what stands before it in the
// same word of bash, and leaves the answers in COMPREPLY. By default bash splits words at "=".
constexpr char kHead[] = R"(# bash completion for nsctl. To use it: source <(nsctl completion bash)

# Offers the words $1 for $word.
_nsctl_words() {
  local IFS=$' \t\n'
  mapfile -t COMPREPLY < <(compgen -P "$prefix" -W "$1" -- "$word")
}

# Offers the words $1 for the last element of the list $word.
_nsctl_list() {
  local head=
  if [[ $word == *,* ]]; then
    head=${word%,*},
    word=${word##*,}
  fi
  if [[ $word == +* ]]; then
    head+=+
    word=${word#+}
  fi
  prefix+=$head
  compopt -o nospace 2>/dev/null
  _nsctl_words "$1"
}

# Offers what `compgen $1` finds.
_nsctl_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}

_nsctl() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} prefix=
  COMPREPLY=()
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $word == --*=* ]]; then
    option=${word%%=*}
    prefix=$option=
    word=${word#*=}
  fi
)";

constexpr char kTail[] = R"(}

complete -F _nsctl nsctl
)";

std::string Words(const std::vector<Choice>& choices) {
  return absl::StrJoin(choices, " ", [](std::string* out, const Choice& choice) {
    absl::StrAppend(out, choice.value);
  });
}

std::string AnswerFor(const CompletionOption& option) {
  if (option.TakesFile()) return "_nsctl_files -f";
  if (option.TakesDirectory()) return "_nsctl_files -d";
  if (option.choices.empty()) return ":";
  return absl::StrCat(option.placeholder.list ? "_nsctl_list" : "_nsctl_words", " '",
                      Words(option.choices), "'");
}

// "--output=" for options with a value, so that one key stroke less is needed; "--strict" for flags
// and where the value may be left out.
std::string OptionWords(const CompletionCommand& command) {
  return absl::StrJoin(command.options, " ", [](std::string* out, const CompletionOption& option) {
    absl::StrAppend(out, option.long_name);
    if (!option.short_name.empty()) absl::StrAppend(out, " ", option.short_name);
  });
}

// The branch for `command`, whose name is word `position` of the command line.
void AppendCommand(const CompletionCommand& command, int position, std::string* out) {
  absl::StrAppend(out, "    ", absl::StrJoin(command.names, " | "), ")\n");
  if (!command.subcommands.empty()) {
    absl::StrAppend(out, "      if ((COMP_CWORD == ", position + 1, ")); then\n",
                    "        _nsctl_words '", Words(command.arguments),
                    " --help'\n        return\n      fi\n      case ${COMP_WORDS[", position + 1,
                    "]} in\n");
    for (const CompletionCommand& subcommand : command.subcommands) {
      AppendCommand(subcommand, position + 1, out);
    }
    absl::StrAppend(out, "      esac\n      ;;\n");
    return;
  }
  absl::StrAppend(out, "      case $option in\n");
  for (const CompletionOption& option : command.options) {
    if (option.placeholder.word.empty()) continue;
    // What may be left out is a value only after "=".
    const char* const guard =
        option.placeholder.optional
            ? " [[ ${COMP_WORDS[COMP_CWORD - 1]} == \"$option\" && -z $prefix ]] ||"
            : "";
    absl::StrAppend(out, "        ", option.long_name,
                    option.short_name.empty() ? "" : absl::StrCat(" | ", option.short_name), ")",
                    guard);
    absl::StrAppend(out, guard[0] == '\0' ? " " : " { ", AnswerFor(option),
                    guard[0] == '\0' ? "; return ;;\n" : "; return; } ;;\n");
  }
  absl::StrAppend(out, "      esac\n",
                  "      if [[ $word == -* ]]; then\n"
                  "        _nsctl_words '",
                  OptionWords(command), "'\n");
  if (!command.arguments.empty()) {
    absl::StrAppend(out,
                    "      else\n"
                    "        _nsctl_words '",
                    Words(command.arguments), "'\n");
  }
  absl::StrAppend(out, "      fi\n      ;;\n");
}

}  // namespace

std::string BashCompletion(const std::vector<CompletionCommand>& commands) {
  std::string out = kHead;
  std::vector<std::string> names;
  for (const CompletionCommand& command : commands) {
    names.insert(names.end(), command.names.begin(), command.names.end());
  }
  absl::StrAppend(&out, "  if ((COMP_CWORD == 1)); then\n    _nsctl_words '",
                  absl::StrJoin(names, " "),
                  " --help --version'\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n");
  for (const CompletionCommand& command : commands) AppendCommand(command, 1, &out);
  absl::StrAppend(&out, "  esac\n", kTail);
  return out;
}

}  // namespace nsctl::cmd
