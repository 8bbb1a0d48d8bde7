#include "cmd/exec_options.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;

constexpr char kNamespaces[] = "Namespaces";
constexpr char kIdentity[] = "Who the command runs as";
constexpr char kSurroundings[] = "Where the command runs";
constexpr char kRunning[] = "How the command runs";

struct TypeOption {
  NamespaceType type;
  const char* names;
  const char* word;
};

// As nsenter spells them; in its order.
constexpr TypeOption kTypeOptions[] = {
    {NamespaceType::kMnt, "-m,--mount", "mount"}, {NamespaceType::kUts, "-u,--uts", "UTS"},
    {NamespaceType::kIpc, "-i,--ipc", "IPC"},     {NamespaceType::kNet, "-n,--net", "network"},
    {NamespaceType::kPid, "-p,--pid", "PID"},     {NamespaceType::kUser, "-U,--user", "user"},
    {NamespaceType::kTime, "-T,--time", "time"},  {NamespaceType::kCgroup, "-C,--cgroup", "cgroup"},
};

// Options of one kind are added by one function each, so that a line tells all about an option.
class Adder {
 public:
  Adder(CLI::App* app, const char* group) : app_(app), group_(group) {}

  void Flag(const char* names, bool* flag, const char* summary) {
    app_->add_flag(names, *flag, summary)->group(group_);
  }
  template <typename Value>
  void Needed(const char* names, const char* placeholder, Value* value, const char* summary) {
    app_->add_option(names, *value, summary)->type_name(placeholder)->take_last()->group(group_);
  }
  void Optional(const char* names, const char* placeholder, std::string* value,
                const char* otherwise, const std::string& summary) {
    app_->add_option(names, *value, summary)
        ->type_name(placeholder)
        ->default_str(otherwise)
        ->take_last()
        ->group(group_);
  }
  void Repeated(const char* names, const char* placeholder, std::vector<std::string>* values,
                const char* summary) {
    app_->add_option(names, *values, summary)
        ->type_name(placeholder)
        ->allow_extra_args(false)
        ->group(group_);
  }

 private:
  CLI::App* app_;
  const char* group_;
};

void AddNamespaceOptions(CLI::App* app, ExecSettings* settings) {
  Adder add(app, kNamespaces);
  add.Flag("-a,--all", &settings->all,
           "all of the target's that nsctl is not in already: what is done without any of these");
  for (const TypeOption& option : kTypeOptions) {
    add.Optional(
        option.names, "[FILE]", &settings->namespaces[static_cast<size_t>(option.type)], kOfTarget,
        absl::StrCat("the ", option.word,
                     " namespace: the target's, that of FILE, or :ID for the kernel's id"));
  }
  add.Needed("-N,--net-socket", "FD", &settings->net_socket,
             "the network namespace of the target's socket FD");
  add.Flag("--user-parent", &settings->user_parent,
           "the user namespace that owns the first of the others");
  add.Flag("--gons-env", &settings->gons_env,
           "what the variables gons_net, gons_order and so on say, instead of a target");
}

void AddIdentityOptions(CLI::App* app, ExecSettings* settings) {
  Adder add(app, kIdentity);
  add.Needed("-S,--setuid", "USER", &settings->user,
             "a uid, a name from the passwd file inside, or follow: the target's; default: 0 where "
             "a user namespace is entered");
  add.Needed("-G,--setgid", "GROUP", &settings->group,
             "a gid, a name, or follow, likewise; drops the supplementary groups");
  add.Needed("--groups", "GROUPS", &settings->groups,
             "follow: the target's supplementary groups instead of none");
  add.Flag("--preserve-credentials", &settings->preserve_credentials,
           "leave uid, gid and groups as they are");
  add.Flag("--keep-caps", &settings->keep_capabilities,
           "keep all capabilities of a user namespace that is entered");
  add.Needed("--caps", "CAPS", &settings->capabilities,
             "target: the capabilities that the target has, and no more");
  add.Flag("--no-new-privs", &settings->no_new_privileges,
           "gain no privileges by executing anything");
  add.Flag("-Z,--follow-context", &settings->follow_context,
           "run in the target's security context (SELinux, AppArmor)");
}

void AddSurroundingOptions(CLI::App* app, ExecSettings* settings) {
  Adder add(app, kSurroundings);
  add.Optional("-r,--root", "[DIR]", &settings->root, kOfTarget,
               "change the root directory: to the target's or to DIR, opened before the entry; the "
               "working directory stays where it is without --wd");
  add.Optional("-w,--wd", "[DIR]", &settings->directory, kOfTarget,
               "change the working directory likewise");
  add.Needed("-W,--wdns", "PATH", &settings->inner_directory,
             "change the working directory to PATH inside");
  add.Flag("-c,--join-cgroup", &settings->join_cgroup, "move to the target's cgroups");
  add.Flag("-e,--target-env", &settings->target_environment,
           "take the target's environment; --env without a value does too");
  add.Repeated("--env", "NAME=VALUE", &settings->variables, "set a variable");
  add.Flag("--clear-env", &settings->clear_environment, "start with an empty environment");
}

void AddRunningOptions(CLI::App* app, ExecSettings* settings) {
  Adder add(app, kRunning);
  add.Optional("-t,--tty", "[TTY]", &settings->terminal, "always",
               "give the command a terminal of its own; -it is --tty=always, -t alone --tty=auto");
  add.Flag("-F,--no-fork", &settings->no_fork, "become the command instead of starting it");
  add.Flag("--dry-run", &settings->dry_run, "say what would be entered, and enter nothing");
  add.Flag("--each", &settings->each,
           "run the command for every TARGET before \"--\", and show how each came out");
  add.Needed("--jobs", "N", &settings->jobs, "with --each: run so many at once; default: 1");
  add.Needed("--timeout", "SECONDS", &settings->timeout,
             "end a command that runs longer: SIGTERM, and SIGKILL two seconds later");
  add.Needed("--report", "FILE", &settings->report,
             "write what became of each namespace to FILE, as JSON");
}

}  // namespace

bool ExecSettings::AsksForNamespaces() const {
  return all || !net_socket.empty() ||
         std::any_of(namespaces.begin(), namespaces.end(),
                     [](const std::string& value) { return !value.empty(); });
}

size_t ExecSettings::JobLimit() const {
  if (jobs.empty()) return 1;
  size_t limit = 0;
  return absl::SimpleAtoi(jobs, &limit) ? limit : 0;
}

absl::Duration ExecSettings::TimeLimit() const {
  if (timeout.empty()) return absl::InfiniteDuration();
  double seconds = 0;
  if (!absl::SimpleAtod(timeout, &seconds) || !(seconds > 0)) return absl::ZeroDuration();
  return absl::Seconds(seconds);
}

void AddExecOptions(CLI::App* app, ExecSettings* settings) {
  app->add_option("target", settings->targets, "whose namespaces")->type_name("TARGET");
  AddNamespaceOptions(app, settings);
  AddIdentityOptions(app, settings);
  AddSurroundingOptions(app, settings);
  AddRunningOptions(app, settings);
}

std::vector<Choice> ExecChoicesOf(absl::string_view placeholder) {
  if (placeholder == "GROUPS") return {{"follow", ""}};
  if (placeholder == "CAPS") return {{"target", ""}};
  if (placeholder == "TTY") {
    return {{"auto", "where stdin is a terminal"}, {"always", "in any case"}};
  }
  return {};
}

absl::Status CheckExecSettings(const ExecSettings& settings) {
  if (!settings.problem.empty()) return UsageError(settings.problem);
  for (const std::string& target : settings.targets) {
    // The parser takes "-5" for a number.
    if (target[0] == '-') {
      return UsageError(absl::StrCat("unknown option ", QuotedArgument(target)));
    }
  }
  if (settings.gons_env && !settings.targets.empty()) {
    return UsageError("--gons-env goes without a TARGET");
  }
  if (settings.gons_env && settings.AsksForNamespaces()) {
    return UsageError("--gons-env goes without other namespaces");
  }
  if (settings.targets.empty() && !settings.gons_env && !settings.AsksForNamespaces()) {
    return UsageError("TARGET is missing");
  }
  if (settings.targets.size() > 1 && !settings.each) {
    return UsageError("more than one TARGET goes with --each only");
  }
  if (settings.each && settings.targets.empty()) return UsageError("--each needs a TARGET");
  if (settings.each && settings.command.empty() && !settings.dry_run) {
    return UsageError("--each needs a command after \"--\"");
  }
  if (settings.each && (settings.no_fork || !settings.terminal.empty())) {
    return UsageError("--each goes without --no-fork and --tty");
  }
  if (settings.no_fork &&
      (!settings.terminal.empty() || !settings.report.empty() || !settings.timeout.empty())) {
    return UsageError("--no-fork goes without --tty, --timeout and --report");
  }
  if (settings.TimeLimit() <= absl::ZeroDuration()) {
    return UsageError(absl::StrCat("--timeout is a number of seconds above 0, not ",
                                   QuotedArgument(settings.timeout)));
  }
  if (!settings.jobs.empty() && !settings.each) return UsageError("--jobs goes with --each only");
  if (settings.JobLimit() == 0) return UsageError("--jobs needs a number above 0");
  if (settings.report == "-") {
    return UsageError("--report needs a FILE, since stdout is the command's: ./- is one");
  }
  if (!settings.groups.empty() && settings.groups != "follow") {
    return UnknownWord("groups", settings.groups, {"follow"});
  }
  if (!settings.capabilities.empty() && settings.capabilities != kOfTarget) {
    return UnknownWord("capabilities", settings.capabilities, {kOfTarget});
  }
  if (!settings.terminal.empty() && settings.terminal != "auto" && settings.terminal != "always") {
    return UnknownWord("choice for --tty", settings.terminal, {"auto", "always"});
  }
  for (const std::string& variable : settings.variables) {
    if (variable[0] == '=' || !absl::StrContains(variable, '=')) {
      return UsageError(absl::StrCat(QuotedArgument(variable), " is not NAME=VALUE"));
    }
  }
  return absl::OkStatus();
}

}  // namespace nsctl::cmd
