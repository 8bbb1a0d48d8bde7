#include "cmd/inspect_command.h"

#include <memory>
#include <string>

#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/gap_report.h"
#include "cmd/inspect.pb.h"
#include "cmd/inspect_result.h"
#include "cmd/inspect_text.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/source_options.h"
#include "cmd/target.h"
#include "cmd/target_in_snapshot.h"
#include "cmd/target_scan.h"
#include "cmd/usage.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "inspect",
    .alias = nullptr,
    .summary = "all about one namespace, process or container",
    .arguments = "TARGET",
    .description =
        "Tells all that is known of a namespace: its ids, owner, parent, creator, maps,\n"
        "names, offsets, processes and holders; or of a process: its PIDs in all PID\n"
        "namespaces, its namespaces, cgroups, scheduling, threads, and the namespaces\n"
        "that it holds without being in them; or of a container: what its engine tells,\n"
        "its labels, namespaces and processes.\n"
        "\n" NSCTL_TARGET_HELP,
    .examples =
        "nsctl inspect 1234\n"
        "nsctl inspect user:[4026532187]\n"
        "nsctl inspect /run/netns/x\n"
        "nsctl inspect container:web\n"
        "nsctl inspect 1234 --from host.pb -o json",
    .apart = Apart::kAgain,
};

class InspectCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("target", target_, "what to look at")->type_name("TARGET");
    source_.AddTo(app);
    source_.AddCensusTo(app);
    containers_.AddTo(app);
    output_.AddTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return {};
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (target_.empty()) return UsageError("give a TARGET");
    NSCTL_ASSIGN_OR_RETURN(const Target target, ParseTarget(target_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    ScanScope scope;
    NSCTL_ASSIGN_OR_RETURN(scope.engines, containers_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(const TargetScan scan,
                           ScanForTarget(target, source_, scope, nsdisc::ProcessDetail::kAll, env));
    const nsdisc::SnapshotIndex index(*scan.snapshot);
    NSCTL_ASSIGN_OR_RETURN(const TargetInSnapshot found, FindTargetIn(index, scan.target));
    NSCTL_ASSIGN_OR_RETURN(const Inspection inspection, BuildInspection(index, found));
    if (format == Format::kTable) {
      PrintInspection(inspection, presentation, env.out);
    } else {
      const auto only_record = [&](RecordSink sink) { sink(inspection); };
      NSCTL_RETURN_IF_ERROR(WriteMessage(inspection, only_record, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, inspection.gaps(), strict_);
  }

 private:
  SourceOptions source_;
  ContainerOptions containers_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::string target_;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kInspectCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<InspectCommand>(); }};

}  // namespace nsctl::cmd
