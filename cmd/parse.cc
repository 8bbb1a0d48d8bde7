#include "cmd/parse.h"

#include <algorithm>
#include <cstddef>
#include <exception>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "cmd/placeholder.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

bool IsChoice(const Command& command, absl::string_view placeholder, absl::string_view word) {
  for (const Choice& choice : command.ChoicesOf(placeholder)) {
    if (choice.value == word) return true;
  }
  return false;
}

// "--name=value" or "--name" in its parts.
struct LongOption {
  std::string name;
  bool has_value = false;
  bool value_empty = false;
};

LongOption SplitLongOption(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return {word};
  return {word.substr(0, equals), true, equals + 1 == word.size()};
}

// Writes the value of options that may lack one into their word: CLI11 would take whatever word
// comes next. Also finds the misuse of "=" that CLI11 lets pass: it reads "--from=" as "--from".
absl::Status SettleValues(const Command& command, const CLI::App& app,
                          std::vector<std::string>* words) {
  for (size_t i = 0; i < words->size() && (*words)[i] != "--"; ++i) {
    std::string& word = (*words)[i];
    if (!absl::StartsWith(word, "--")) continue;
    const LongOption parts = SplitLongOption(word);
    const CLI::Option* option = app.get_option_no_throw(parts.name);
    if (option == nullptr) continue;
    const Placeholder placeholder = PlaceholderOf(*option);
    if (parts.has_value && placeholder.word.empty()) {
      return UsageError(absl::StrCat("option ", parts.name, " takes no value"));
    }
    if (parts.value_empty) {
      return UsageError(absl::StrCat("option ", parts.name, " needs a value after \"=\""));
    }
    if (parts.has_value || !placeholder.optional) continue;
    if (i + 1 < words->size() && IsChoice(command, placeholder.word, (*words)[i + 1])) {
      absl::StrAppend(&word, "=", (*words)[i + 1]);
      words->erase(words->begin() + static_cast<ptrdiff_t>(i) + 1);
    } else {
      absl::StrAppend(&word, "=", option->get_default_str());
    }
  }
  return absl::OkStatus();
}

// Options that util-linux's commands have for what --output does here.
struct ForeignOption {
  const char* short_name;
  const char* long_name;
  const char* hint;
};
constexpr ForeignOption kForeignOptions[] = {
    {"-J", "--json", "-o json writes JSON"},
    {"-r", "--raw", "-o jsonl writes a JSON object per line"},
};

absl::Status UnknownOption(const std::string& word, const CLI::App& app) {
  for (const ForeignOption& foreign : kForeignOptions) {
    const bool is_meant = word == foreign.short_name || word == foreign.long_name;
    if (!is_meant || app.get_option_no_throw("--output") == nullptr) continue;
    return UsageError(absl::StrCat("unknown option ", QuotedArgument(word), "; ", foreign.hint));
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return UnknownWord("option", SplitLongOption(word).name, names);
}

absl::Status CheckLeftOver(const CLI::App& app) {
  std::vector<std::string> left_over = app.remaining();
  // CLI11 leaves the mark of the end of options there too.
  left_over.erase(std::remove(left_over.begin(), left_over.end(), "--"), left_over.end());
  if (left_over.empty()) return absl::OkStatus();
  const std::string& first = left_over.front();
  if (first.size() > 1 && first[0] == '-') return UnknownOption(first, app);
  return UsageError(absl::StrCat("unexpected argument ", QuotedArgument(first)));
}

// An unset variable of a script must not turn `--from "$FILE"` into a scan of the host.
absl::Status CheckValues(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (PlaceholderOf(*option).word.empty()) continue;
    for (const std::string& value : option->results()) {
      if (!value.empty()) continue;
      return UsageError(absl::StrCat(option->get_name(), " has an empty value"));
    }
  }
  return absl::OkStatus();
}

// CLI11's text is "--from: 1 required FILE missing".
absl::Status MissingValue(const CLI::ArgumentMismatch& mismatch) {
  const std::string text = mismatch.what();
  return UsageError(absl::StrCat("option ", text.substr(0, text.find(':')), " needs a value"));
}

}  // namespace

std::unique_ptr<CLI::App> MakeParser(Command& command) {
  auto app = std::make_unique<CLI::App>();
  app->set_help_flag(command.ShortHelp() ? "-h,--help" : "--help", "show this help")
      ->group("Options");
  app->allow_extras();
  command.AddOptions(app.get());
  return app;
}

absl::StatusOr<ParseOutcome> ParseArguments(std::vector<std::string> arguments,
                                            const Command& command, CLI::App* app) {
  NSCTL_RETURN_IF_ERROR(SettleValues(command, *app, &arguments));
  // CLI11 takes its words from the back.
  std::reverse(arguments.begin(), arguments.end());
  try {
    app->parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return ParseOutcome::kHelp;
  } catch (const CLI::ArgumentMismatch& mismatch) {
    return MissingValue(mismatch);
  } catch (const std::exception& error) {
    return UsageError(error.what());
  }
  NSCTL_RETURN_IF_ERROR(CheckLeftOver(*app));
  NSCTL_RETURN_IF_ERROR(CheckValues(*app));
  return ParseOutcome::kRun;
}

}  // namespace nsctl::cmd
