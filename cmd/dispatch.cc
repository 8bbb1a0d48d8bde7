#include "cmd/dispatch.h"

#include <cerrno>
#include <memory>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "cmd/command.h"
#include "cmd/command_table.h"
#include "cmd/diagnostics.h"
#include "cmd/help_text.h"
#include "cmd/parse.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

// `failed`: that of the command where nothing more is known.
ExitStatus ExitStatusOf(const absl::Status& status, ExitStatus failed) {
  if (IsUsageError(status)) return ExitStatus::kUsage;
  const bool has_own = failed != ExitStatus::kFailed;
  if (absl::IsUnimplemented(status) && !has_own) return ExitStatus::kUnsupported;
  return failed;
}

// `parent` is the name of the command whose subcommand `entry` is, or empty.
absl::StatusOr<ExitStatus> RunCommand(absl::string_view parent, const CommandEntry& entry,
                                      std::vector<std::string> arguments, Environment& env) {
  const std::unique_ptr<Command> command = entry.make();
  const std::unique_ptr<CLI::App> app = MakeParser(*command);
  command->TakeWords(*app, &arguments);
  NSCTL_ASSIGN_OR_RETURN(const ParseOutcome outcome,
                         ParseArguments(std::move(arguments), *command, app.get()));
  if (outcome == ParseOutcome::kHelp) {
    env.out->Append(CommandHelpText(parent, entry));
    return ExitStatus::kDone;
  }
  return command->Run(env);
}

bool IsHelpFlag(absl::string_view word) { return word == "-h" || word == "--help"; }

// "fs help ls": the words are there, in another order.
absl::Status HelpHint(const CommandEntry& entry, const std::vector<std::string>& arguments) {
  const CommandEntry* const subcommand =
      arguments.size() > 1 ? FindCommand(arguments[1], entry.subcommands) : nullptr;
  return UsageError(
      absl::StrCat("help is a command of its own: nsctl help ", entry.info->name,
                   subcommand == nullptr ? "" : absl::StrCat(" ", subcommand->info->name)));
}

absl::StatusOr<ExitStatus> RunEntry(const CommandEntry& entry, std::vector<std::string> arguments,
                                    Environment& env) {
  const bool asks_for_help = !arguments.empty() && arguments[0] == "help";
  if (entry.subcommands.empty()) {
    absl::StatusOr<ExitStatus> result = RunCommand("", entry, arguments, env);
    // It was none of its own words.
    if (asks_for_help && IsUsageError(result.status())) return HelpHint(entry, arguments);
    return result;
  }
  if (arguments.empty() || IsHelpFlag(arguments[0])) {
    env.out->Append(CommandHelpText("", entry));
    return ExitStatus::kDone;
  }
  const CommandEntry* const chosen = FindCommand(arguments[0], entry.subcommands);
  if (chosen == nullptr && asks_for_help) return HelpHint(entry, arguments);
  if (chosen == nullptr) {
    return UnknownCommand(absl::StrCat(entry.info->name, " command"), arguments[0],
                          entry.subcommands);
  }
  arguments.erase(arguments.begin());
  return RunCommand(entry.info->name, *chosen, std::move(arguments), env);
}

absl::StatusOr<ExitStatus> Misuse(absl::string_view word, const Environment& env) {
  if (absl::string_view(word).substr(0, 1) == "-") {
    return UsageError(absl::StrCat("unknown option ", QuotedArgument(word),
                                   "; options come after the command, as in nsctl list -o json"));
  }
  return UnknownCommand("command", word, env.commands);
}

// A reader that has seen enough closes the pipe, and ">&-" asks for no output: no reason to
// complain.
ExitStatus FailedOutput(const absl::Status& status, absl::string_view command, ExitStatus failed,
                        Environment& env) {
  switch (base::ErrnoOf(status)) {
    case EPIPE:
      return ExitStatus::kReaderGone;
    case EBADF:
      return failed;
    default:
      Complain(env, command, status.message());
      return failed;
  }
}

}  // namespace

ExitStatus RunNsctl(const std::vector<std::string>& arguments, Environment& env) {
  absl::string_view name;
  ExitStatus failed = ExitStatus::kFailed;
  absl::StatusOr<ExitStatus> result = ExitStatus::kDone;
  if (arguments.empty() || IsHelpFlag(arguments[0])) {
    env.out->Append(OverviewText(env.commands));
  } else {
    const std::string word = arguments[0] == "--version" ? "version" : arguments[0];
    if (const CommandEntry* entry = FindCommand(word, env.commands)) {
      name = entry->info->name;
      failed = entry->info->failed;
      result = RunEntry(*entry, {arguments.begin() + 1, arguments.end()}, env);
    } else {
      result = Misuse(word, env);
    }
  }
  const absl::Status written = env.out->Flush();
  if (!result.ok()) {
    Complain(env, name, result.status().message());
    return ExitStatusOf(result.status(), failed);
  }
  return written.ok() ? *result : FailedOutput(written, name, failed, env);
}

}  // namespace nsctl::cmd
