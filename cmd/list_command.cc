#include "cmd/list_command.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/gap_report.h"
#include "cmd/list.pb.h"
#include "cmd/list_columns.h"
#include "cmd/list_result.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/pid_reference.h"
#include "cmd/presentation_options.h"
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "list",
    .alias = "ls",
    .summary = "namespaces as a table",
    .arguments = "[NAMESPACE]...",
    .description =
        "Lists every namespace: those that processes and threads are in, or will have\n"
        "their children in; those that nothing but a descriptor, a socket or a bind\n"
        "mount keeps alive, in whichever mount namespace; those that own or contain\n"
        "others; and, where the kernel tells, those that nothing in sight holds.\n"
        "\n"
        "Rows are in the order mnt, cgroup, uts, ipc, user, pid, net, time, and by\n"
        "inode number in each type. NAMESPACE (net:[4026531840], or the number alone)\n"
        "shows only these.",
    .examples =
        "nsctl list\n"
        "nsctl list --type net,mnt --columns +PATH\n"
        "nsctl list --pid 1 --noheadings -c NS,TYPE\n"
        "nsctl list 4026531840 -c +NSFS\n"
        "nsctl list --state persistent,dark -c +HELD-BY\n"
        "nsctl list --held-by fd,socket -c +FDS\n"
        "nsctl list -o jsonl | jq .namespace.inode\n"
        "nsctl list --from host.pb",
    .apart = Apart::kAgain,
};

std::vector<Choice> HolderKindChoices() {
  std::vector<Choice> choices;
  choices.reserve(nsdisc::kHolderKindCount);
  for (int i = 0; i < nsdisc::kHolderKindCount; ++i) {
    choices.push_back({nsdisc::HolderKindName(static_cast<nsdisc::HolderKind>(i)), ""});
  }
  return choices;
}

std::vector<Choice> StateChoices() {
  return {{"active", "processes or threads are in it"},
          {"pending", "none is yet, but children will be"},
          {"persistent", "none is, but something holds it"},
          {"dark", "nothing in sight holds it"}};
}

absl::StatusOr<std::vector<nsdisc::HolderKind>> ParseHolderKinds(
    const std::vector<std::string>& lists) {
  std::vector<nsdisc::HolderKind> kinds;
  for (const std::string& word : SplitLists(lists)) {
    const std::optional<nsdisc::HolderKind> kind = nsdisc::HolderKindFromName(word);
    if (!kind.has_value())
      return UnknownWord("kind of holder", word, ValuesOf(HolderKindChoices()));
    kinds.push_back(*kind);
  }
  return kinds;
}

absl::StatusOr<std::vector<NamespaceRow::State>> ParseStates(
    const std::vector<std::string>& lists) {
  std::vector<NamespaceRow::State> states;
  for (const std::string& word : SplitLists(lists)) {
    NamespaceRow::State state;
    if (word == "unknown" || !NamespaceRow::State_Parse(word, &state)) {
      return UnknownWord("state", word, ValuesOf(StateChoices()));
    }
    states.push_back(state);
  }
  return states;
}

// "user:[4026531837]", "user:4026531837" or the number alone.
absl::StatusOr<std::optional<uint32_t>> ParseOwner(const std::string& text) {
  if (text.empty()) return std::nullopt;
  absl::string_view number = text;
  uint32_t inode = 0;
  if (absl::ConsumePrefix(&number, "user:") && absl::ConsumePrefix(&number, "[")) {
    absl::ConsumeSuffix(&number, "]");
  }
  if (!absl::SimpleAtoi(number, &inode)) {
    return UsageError(absl::StrCat("not a user namespace: ", QuotedArgument(text)));
  }
  return inode;
}

class ListCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    scope_.AddTo(app, "list only namespaces of these types");
    app->add_option("namespaces", namespaces_, "list only these namespaces")
        ->type_name("NAMESPACE");
    app->add_option("-p,--pid", pids_, "list only namespaces that one of these processes is in")
        ->type_name("PID,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    const auto add = [app](const char* name, auto& variable, const char* help, const char* type) {
      app->add_option(name, variable, help)->type_name(type)->group("What to look at");
    };
    add("--owner", owner_, "list only namespaces that this user namespace owns, or is parent of",
        "NS");
    add("--cgroup", cgroup_, "list only namespaces of processes in this control group or below it",
        "CGROUP");
    app->add_option("--held-by", held_by_,
                    "list only namespaces that something of these kinds holds")
        ->type_name("KIND,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    app->add_option("--state", states_, "list only namespaces in these states")
        ->type_name("STATE,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    app->add_flag("--dark", dark_, "list only namespaces that nothing in sight holds")
        ->group("What to look at");
    source_.AddTo(app);
    source_.AddCensusTo(app);
    containers_.AddTo(app);
    output_.AddTo(app);
    app->add_option("-c,--columns", columns_,
                    "show these columns, or all; +COLUMN adds to the default ones")
        ->type_name("COLUMN,...")
        ->allow_extra_args(false)
        ->group("Appearance");
    presentation_.AddHeadingsTo(app, "-n,--noheadings");
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "COLUMN") return ListColumnChoices();
    if (placeholder == "KIND") return HolderKindChoices();
    if (placeholder == "STATE") return StateChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ScanScopeOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(ScanScope scope, scope_.Resolve());
    ListFilter filter{.types = scope.types, .cgroup = cgroup_};
    for (const std::string& word : SplitLists(namespaces_)) {
      NSCTL_ASSIGN_OR_RETURN(const NamespaceReference reference, ParseNamespaceReference(word));
      filter.namespaces.push_back(reference);
    }
    NSCTL_ASSIGN_OR_RETURN(filter.pids, ParsePidReferences(pids_));
    NSCTL_ASSIGN_OR_RETURN(filter.owner, ParseOwner(owner_));
    NSCTL_ASSIGN_OR_RETURN(filter.held_by, ParseHolderKinds(held_by_));
    NSCTL_ASSIGN_OR_RETURN(filter.states, ParseStates(states_));
    if (dark_) filter.states.push_back(NamespaceRow::dark);
    NSCTL_ASSIGN_OR_RETURN(const std::vector<const ListColumn*> columns,
                           SelectListColumns(columns_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    // Whoever asks for a control group asks about every process, and so does whoever has a number
    // of another PID namespace, or a pidfd's inode.
    const bool asks_all = !cgroup_.empty() || absl::c_any_of(filter.pids, [](const auto& one) {
      return one != PidReference{one.pid};
    });
    const nsdisc::ProcessDetail detail =
        asks_all ? nsdisc::ProcessDetail::kAll : nsdisc::ProcessDetail::kRepresentatives;
    NSCTL_ASSIGN_OR_RETURN(const std::optional<absl::Duration> wait, containers_.Resolve());
    // Finding engines costs about as much as a tenth of the scan.
    const bool shows_containers =
        absl::c_any_of(columns, [](const ListColumn* column) { return column->of_container; });
    const bool names_container = NameContainer(filter.pids);
    if (shows_containers || names_container) scope.engines = wait;
    scope.stopped_containers = names_container;
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           source_.Acquire(scope, nsdisc::ScanOptions::loose, detail, env));
    NSCTL_ASSIGN_OR_RETURN(const NamespaceList list, BuildNamespaceList(*snapshot, filter));
    if (format == Format::kTable) {
      MakeListTable(list, columns, presentation).Print(presentation, env.out);
    } else {
      const auto for_each_row = [&](RecordSink sink) {
        for (const NamespaceRow& row : list.rows()) sink(row);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(list, for_each_row, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, list.gaps(), strict_);
  }

 private:
  SourceOptions source_;
  ContainerOptions containers_;
  ScanScopeOptions scope_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::vector<std::string> namespaces_;
  std::vector<std::string> pids_;
  std::vector<std::string> columns_;
  std::vector<std::string> held_by_;
  std::vector<std::string> states_;
  std::string owner_;
  std::string cgroup_;
  bool dark_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kListCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<ListCommand>(); }};

}  // namespace nsctl::cmd
