#include "cmd/ps_command.h"

#include <memory>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/pid_reference.h"
#include "cmd/presentation_options.h"
#include "cmd/ps.pb.h"
#include "cmd/ps_columns.h"
#include "cmd/ps_result.h"
#include "cmd/ps_text.h"
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr char kGroup[] = "What to look at";

constexpr CommandInfo kInfo = {
    .name = "ps",
    .alias = nullptr,
    .summary = "processes across PID namespaces, with all their PIDs",
    .arguments = "",
    .description =
        "Draws the tree of processes, with PID namespaces where a process enters one. A\n"
        "process in inner PID namespaces is shown with its number in each of them, from\n"
        "the outermost to its own: (6427/235/7).\n"
        "\n"
        "PID@pid:[INODE] is a process by its number in another PID namespace. With\n"
        "--ns pid:[INODE] a PID alone may be a number of that namespace too. A container\n"
        "(container:NAME, ENGINE/NAME) stands for its initial process.",
    .examples =
        "nsctl ps\n"
        "nsctl ps --pid 6427\n"
        "nsctl ps --list --pid 7@pid:[4026532398] -c PID --noheadings\n"
        "nsctl ps --ns net:[4026531840] --threads\n"
        "nsctl ps --list -c +CONTAINER,NETNS\n"
        "nsctl ps --pid container:web",
    .apart = Apart::kAgain,
};

class PsCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("-p,--pid", pids_,
                    "show only these, their ancestors and descendants; PID@pid:[INODE] is a "
                    "number of that PID namespace")
        ->type_name("PID,...")
        ->allow_extra_args(false)
        ->group(kGroup);
    app->add_option("-n,--ns", namespaces_,
                    "show only processes in this namespace, TYPE:[INODE]; in all of them where "
                    "it is given again")
        ->type_name("NAMESPACE,...")
        ->allow_extra_args(false)
        ->group(kGroup);
    app->add_flag("--threads", threads_, "show threads too")->group(kGroup);
    source_.AddTo(app);
    containers_.AddTo(app);
    output_.AddTo(app);
    app->add_flag("-l,--list", list_,
                  "a table of those that were asked for, without ancestors and descendants")
        ->group("Appearance");
    app->add_option("-c,--columns", columns_,
                    "a table of these columns, or all; +COLUMN adds to the default ones")
        ->type_name("COLUMN,...")
        ->allow_extra_args(false)
        ->group("Appearance");
    presentation_.AddHeadingsTo(app);
    presentation_.AddGlyphsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "COLUMN") return PsColumnChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    return PresentationOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    PsRequest request;
    request.threads = threads_;
    NSCTL_ASSIGN_OR_RETURN(request.pids, ParsePidReferences(pids_));
    for (const std::string& word : SplitLists(namespaces_)) {
      NSCTL_ASSIGN_OR_RETURN(const NamespaceReference reference, ParseNamespaceReference(word));
      request.namespaces.push_back(reference);
    }
    NSCTL_ASSIGN_OR_RETURN(const std::vector<const PsColumn*> columns,
                           SelectPsColumns(columns_, threads_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    ScanScope scope;
    if (threads_) scope.threads = nsdisc::ScanOptions::all;
    NSCTL_ASSIGN_OR_RETURN(scope.engines, containers_.Resolve());
    scope.stopped_containers = NameContainer(request.pids);
    // Numbers in inner PID namespaces are part of the detail.
    NSCTL_ASSIGN_OR_RETURN(
        const std::unique_ptr<nsdisc::Snapshot> snapshot,
        source_.Acquire(scope, nsdisc::ScanOptions::none, nsdisc::ProcessDetail::kAll, env));
    NSCTL_ASSIGN_OR_RETURN(const ProcessTree tree, BuildProcessTree(*snapshot, request));
    if (format != Format::kTable) {
      const auto for_each_row = [&](RecordSink sink) {
        for (const ProcessTree::Row& row : tree.rows()) sink(row);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(tree, for_each_row, format, env.out));
    } else if (list_ || !columns_.empty()) {
      MakePsTable(tree, columns, presentation).Print(presentation, env.out);
    } else {
      PrintProcessTree(tree, presentation, env.out);
    }
    return FinishWithGaps(env, kInfo.name, tree.gaps(), strict_);
  }

 private:
  SourceOptions source_;
  ContainerOptions containers_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::vector<std::string> pids_;
  std::vector<std::string> namespaces_;
  std::vector<std::string> columns_;
  bool threads_ = false;
  bool list_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kPsCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<PsCommand>(); }};

}  // namespace nsctl::cmd
