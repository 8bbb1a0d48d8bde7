#include "cmd/list_command.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cmd/gap_report.h"
#include "cmd/list.pb.h"
#include "cmd/list_columns.h"
#include "cmd/list_result.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
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
    .arguments = "",
    .description =
        "Lists every namespace that a process or thread is in, or will have its children\n"
        "in, and those that own or contain them, with the processes that lead them.",
    .examples =
        "nsctl list\n"
        "nsctl list --type net,mnt --columns +PATH\n"
        "nsctl list --pid 1 --noheadings -c NS,TYPE\n"
        "nsctl list -o jsonl | jq .namespace.inode\n"
        "nsctl list --from host.pb",
};

absl::StatusOr<std::vector<base::Pid>> ParsePids(const std::vector<std::string>& lists) {
  std::vector<base::Pid> pids;
  for (const std::string& word : SplitLists(lists)) {
    base::Pid pid;
    if (!absl::SimpleAtoi(word, &pid.value) || pid.value <= 0) {
      return UsageError(absl::StrCat("not a PID: ", QuotedArgument(word)));
    }
    pids.push_back(pid);
  }
  return pids;
}

class ListCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    scope_.AddTo(app, "list only namespaces of these types");
    app->add_option("-p,--pid", pids_, "list only namespaces that one of these processes is in")
        ->type_name("PID,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    source_.AddTo(app);
    output_.AddTo(app);
    app->add_option("-c,--columns", columns_,
                    "show these columns, or all; +COLUMN adds to the default ones")
        ->type_name("COLUMN,...")
        ->allow_extra_args(false)
        ->group("Appearance");
    presentation_.AddHeadingsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "COLUMN") return ListColumnChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ScanScopeOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const ScanScope scope, scope_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, ParsePids(pids_));
    NSCTL_ASSIGN_OR_RETURN(const std::vector<const ListColumn*> columns,
                           SelectListColumns(columns_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           source_.Acquire(scope, nsdisc::ScanOptions::loose,
                                           nsdisc::ProcessDetail::kRepresentatives, env));
    NSCTL_ASSIGN_OR_RETURN(const NamespaceList list,
                           BuildNamespaceList(*snapshot, {scope.types, pids}));
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
  ScanScopeOptions scope_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::vector<std::string> pids_;
  std::vector<std::string> columns_;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kListCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<ListCommand>(); }};

}  // namespace nsctl::cmd
