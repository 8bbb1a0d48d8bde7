#include "cmd/snapshot_command.h"

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/gap_report.h"
#include "cmd/keep_until_exit.h"
#include "cmd/lxkns_json.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/scan_options.h"
#include "cmd/snapshot_filter.h"
#include "cmd/snapshot_pieces.h"
#include "cmd/snapshot_summary.h"
#include "cmd/source_options.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

using nsdisc::ScanOptions;
using nsdisc::Snapshot;

constexpr CommandInfo kInfo = {
    .name = "snapshot",
    .alias = "dump",
    .summary = "the whole discovery result as data",
    .arguments = "",
    .description =
        "Writes all namespaces, processes and their relations. What it writes in any\n"
        "format but table and lxkns can be read again with --from, here and in every\n"
        "other command.",
    .examples =
        "nsctl snapshot -o pb > host.pb\n"
        "nsctl snapshot --all -o pb > everything.pb\n"
        "nsctl snapshot --sections mounts -o jsonl\n"
        "nsctl snapshot --from host.pb -o table\n"
        "nsctl snapshot -o jsonl | nsctl list --from -\n"
        "nsctl snapshot -o lxkns > lxkns.json",
    .apart = Apart::kAgain,
};

class SnapshotCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    scope_.AddTo(app, "write only namespaces of these types");
    const auto add_flag = [app](const char* name, bool& variable, const char* help) {
      app->add_flag(name, variable, help)->group("What to look at");
    };
    add_flag("--mounts", mounts_, "with the mounts of all mount namespaces");
    add_flag("--capabilities", capabilities_,
             "with all sets of capabilities of processes: the bounding and ambient ones, too");
    add_flag("--all", all_, "with everything: --mounts, --capabilities and --tasks=all");
    app->add_option("--sections", sections_, "write only these lists, and what describes the scan")
        ->type_name("SECTION,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    source_.AddTo(app);
    source_.AddCensusTo(app);
    containers_.AddTo(app);
    output_.AddTo(app);
    presentation_.AddHeadingsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "SECTION") {
      std::vector<Choice> choices;
      for (const char* section : kSnapshotSections) choices.push_back({section, ""});
      return choices;
    }
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ScanScopeOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(ScanScope scope, scope_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(const std::vector<std::string> sections, ResolveSections());
    scope.mounts = mounts_ || all_ || absl::c_linear_search(sections, "mounts");
    scope.descriptors_in_flight = true;
    scope.all_capability_sets = capabilities_ || all_;
    if (all_ && !scope.threads.has_value()) scope.threads = ScanOptions::all;
    NSCTL_ASSIGN_OR_RETURN(scope.engines, containers_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    // lxkns's clients expect every process to list its threads.
    const ScanOptions::Threads default_threads =
        format == Format::kLxkns ? ScanOptions::all : ScanOptions::loose;
    if (format == Format::kLxkns && !sections.empty()) {
      return UsageError(
          "--sections does not go with -o lxkns, which has all that its readers need");
    }
    // What capabilities are judged by costs next to nothing.
    nsdisc::DiscoverOptions wanted;
    wanted.threads = default_threads;
    wanted.capabilities = nsdisc::CapabilitySets::kEffective;
    wanted.ipc_counts = true;
    NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot, source_.Acquire(scope, wanted, env));
    if (!scope.types.empty()) KeepTypes(scope.types, snapshot.get());
    if (!sections.empty()) KeepSections(sections, snapshot.get());
    NSCTL_RETURN_IF_ERROR(Write(*snapshot, format, presentation, env.out));
    absl::StatusOr<ExitStatus> status = FinishWithGaps(env, kInfo.name, snapshot->gaps(), strict_);
    KeepUntilExit(std::move(snapshot));
    return status;
  }

 private:
  // Empty where the user did not say.
  absl::StatusOr<std::vector<std::string>> ResolveSections() const {
    std::vector<std::string> known(std::begin(kSnapshotSections), std::end(kSnapshotSections));
    std::vector<std::string> sections = SplitLists(sections_);
    for (const std::string& section : sections) {
      if (!absl::c_linear_search(known, section)) return UnknownWord("section", section, known);
    }
    return sections;
  }

  static absl::Status Write(const Snapshot& snapshot, Format format,
                            const Presentation& presentation, Writer* out) {
    if (format == Format::kTable) {
      PrintSnapshotSummary(snapshot, presentation, out);
      return absl::OkStatus();
    }
    if (format == Format::kLxkns) {
      WriteLxknsJson(snapshot, out);
      return absl::OkStatus();
    }
    return WriteMessage(
        snapshot, [&](RecordSink sink) { ForEachSnapshotPiece(snapshot, sink); }, format, out);
  }

  SourceOptions source_;
  ContainerOptions containers_;
  ScanScopeOptions scope_;
  OutputOptions output_{"json", Format::kLxkns};
  PresentationOptions presentation_;
  std::vector<std::string> sections_;
  bool mounts_ = false;
  bool capabilities_ = false;
  bool all_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kSnapshotCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<SnapshotCommand>(); }};

}  // namespace nsctl::cmd
