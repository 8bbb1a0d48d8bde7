#include "cmd/help_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/parse.h"
#include "cmd/placeholder.h"

namespace nsctl::cmd {
namespace {

constexpr size_t kLineLength = 79;
// Where explanations start, and how long a term may be to share a line with its explanation.
constexpr size_t kExplanationColumn = 28;

// "  TERM      explanation", the explanation wrapped.
void AppendEntry(absl::string_view term, absl::string_view explanation, size_t column,
                 std::string* out) {
  std::string line = absl::StrCat("  ", term);
  if (line.size() + 2 > column) {
    absl::StrAppend(out, line, "\n");
    line.clear();
  }
  line.resize(column, ' ');
  bool line_has_word = false;
  for (absl::string_view word : absl::StrSplit(explanation, ' ', absl::SkipEmpty())) {
    if (line_has_word && line.size() + 1 + word.size() > kLineLength) {
      absl::StrAppend(out, line, "\n");
      line.assign(column, ' ');
      line_has_word = false;
    }
    absl::StrAppend(&line, line_has_word ? " " : "", word);
    line_has_word = true;
  }
  absl::StrAppend(out, line, "\n");
}

// "-o, --output=FORMAT"
std::string OptionTerm(const CLI::Option& option) {
  std::string term = option.get_snames().empty() ? "    " : "";
  for (const std::string& name : option.get_snames()) absl::StrAppend(&term, "-", name, ", ");
  const Placeholder placeholder = PlaceholderOf(option);
  absl::StrAppend(&term, "--", option.get_lnames().front());
  if (placeholder.word.empty()) return term;
  absl::StrAppend(&term, placeholder.optional ? "[=" : "=", placeholder.word,
                  placeholder.list ? ",..." : "", placeholder.optional ? "]" : "");
  return term;
}

// The options by group, groups in the order of their first option, the general ones last.
std::vector<std::pair<std::string, std::vector<const CLI::Option*>>> GroupOptions(
    const CLI::App& app) {
  std::vector<std::pair<std::string, std::vector<const CLI::Option*>>> groups;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    const std::string& name = option->get_group();
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->second.push_back(option);
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const auto& group) { return group.first != "Options"; });
  return groups;
}

void AppendOptions(const CLI::App& app, std::string* out) {
  for (const auto& [name, options] : GroupOptions(app)) {
    absl::StrAppend(out, "\n", name, ":\n");
    for (const CLI::Option* option : options) {
      AppendEntry(OptionTerm(*option), option->get_description(), kExplanationColumn, out);
    }
  }
}

// What each placeholder may be, where that has to be explained.
void AppendChoices(const Command& command, const CLI::App& app, std::string* out) {
  std::vector<std::string> done;
  for (const CLI::Option* option : app.get_options()) {
    const std::string word = PlaceholderOf(*option).word;
    if (std::find(done.begin(), done.end(), word) != done.end()) continue;
    done.push_back(word);
    const std::vector<Choice> choices = command.ChoicesOf(word);
    const bool explained = std::any_of(choices.begin(), choices.end(), [](const Choice& choice) {
      return !choice.summary.empty();
    });
    if (!explained) continue;
    size_t longest = 0;
    for (const Choice& choice : choices) longest = std::max(longest, choice.value.size());
    absl::StrAppend(out, "\n", word, ":\n");
    for (const Choice& choice : choices)
      AppendEntry(choice.value, choice.summary, longest + 4, out);
  }
}

void AppendIndented(absl::string_view text, std::string* out) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) absl::StrAppend(out, "  ", line, "\n");
}

void AppendCommandList(absl::Span<const CommandEntry> commands, std::string* out) {
  absl::StrAppend(out, "\nCommands:\n");
  for (const CommandEntry& entry : commands) {
    const CommandInfo& info = *entry.info;
    const std::string names =
        info.alias == nullptr ? info.name : absl::StrCat(info.name, ", ", info.alias);
    AppendEntry(names, info.summary, 20, out);
  }
}

// What a command without subcommands of its own takes.
void AppendUse(const CommandEntry& entry, std::string* out) {
  const std::unique_ptr<Command> command = entry.make();
  const std::unique_ptr<CLI::App> app = MakeParser(*command);
  AppendOptions(*app, out);
  AppendChoices(*command, *app, out);
}

}  // namespace

std::string OverviewText(absl::Span<const CommandEntry> commands) {
  std::string out =
      "nsctl - finds every Linux namespace on a host and says how they relate\n"
      "\n"
      "Usage: nsctl COMMAND [options] [arguments]\n";
  AppendCommandList(commands, &out);
  absl::StrAppend(&out,
                  "\n"
                  "Exit status: 0 done, 1 failed, 2 wrong usage, 3 gaps in the result\n"
                  "and --strict was given, 4 the kernel lacks a feature.\n"
                  "\n"
                  "More on a command: nsctl help COMMAND\n");
  return out;
}

std::string CommandHelpText(absl::string_view parent, const CommandEntry& entry) {
  const CommandInfo& info = *entry.info;
  const bool is_group = !entry.subcommands.empty();
  const std::string name = absl::StrCat("nsctl ", parent, parent.empty() ? "" : " ");
  std::string out = absl::StrCat(name, info.name, " - ", info.summary, "\n\nUsage: ", name,
                                 info.name, is_group ? "" : " [options]",
                                 *info.arguments == '\0' ? "" : " ", info.arguments, "\n");
  if (info.alias != nullptr) absl::StrAppend(&out, "Short: ", name, info.alias, "\n");
  absl::StrAppend(&out, "\n", info.description, "\n");
  if (is_group) {
    AppendCommandList(entry.subcommands, &out);
  } else {
    AppendUse(entry, &out);
  }
  if (*info.examples != '\0') {
    absl::StrAppend(&out, "\nExamples:\n");
    AppendIndented(info.examples, &out);
  }
  if (is_group) {
    absl::StrAppend(&out, "\nMore on a command: nsctl help ", info.name, " COMMAND\n");
  }
  return out;
}

}  // namespace nsctl::cmd
