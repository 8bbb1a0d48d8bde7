#include "cmd/diff_command.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/container_options.h"
#include "cmd/diff_text.h"
#include "cmd/engine_inquiry.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/usage.h"
#include "nsdisc/diff.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Snapshot;

constexpr char kGroup[] = "What to look at";

constexpr CommandInfo kInfo = {
    .name = "diff",
    .alias = nullptr,
    .summary = "what changed between two snapshots, or since one",
    .arguments = "BEFORE [AFTER]",
    .description =
        "Compares two files that \"nsctl snapshot\" wrote, or one with the live host:\n"
        "which namespaces and processes were added (+), removed (-) and changed (~).\n"
        "What one side could not see is neither but unknown (?). \"-\" is the standard\n"
        "input.\n"
        "\n"
        "Counters, kernel threads and the processes that took the snapshots are left\n"
        "out. Exits with 0 where nothing changed, 1 where something did, 2 on trouble.",
    .examples =
        "nsctl diff monday.pb tuesday.pb\n"
        "nsctl diff monday.pb\n"
        "nsctl diff monday.pb --type net,mnt\n"
        "nsctl diff monday.pb --ignore processes --quiet\n"
        "ssh host nsctl snapshot -o pb | nsctl diff host.pb -",
    .apart = Apart::kAgain,
    .failed = ExitStatus::kTrouble,
};

class DiffCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("before", before_, "a snapshot")->type_name("BEFORE");
    app->add_option("after", after_, "a later one; default: the live host")->type_name("AFTER");
    app->add_option("-t,--type", types_,
                    "compare only namespaces of these types, and which processes are in them")
        ->type_name("TYPE,...")
        ->allow_extra_args(false)
        ->group(kGroup);
    app->add_option("-I,--ignore", ignored_,
                    "leave out fields by their names in -o json: processes, processes.name, name")
        ->type_name("FIELD,...")
        ->allow_extra_args(false)
        ->group(kGroup);
    app->add_flag("--all", all_,
                  "compare counters, kernel threads and the processes that took the snapshots too")
        ->group(kGroup);
    app->add_option("--procfs", procfs_, "compare with a scan of the procfs that is mounted at DIR")
        ->type_name("DIR")
        ->take_last()
        ->group("Source");
    SourceOptions::AddCensusTo(app, &census_);
    output_.AddTo(app);
    app->add_flag("-q,--quiet", quiet_, "print nothing; the exit status tells")->group("Output");
    presentation_.AddGlyphsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag(
        "--strict", strict_,
        "exit with 3 where nothing is known to have changed but not all could be compared");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "TYPE") return ScanScopeOptions::ChoicesOf(placeholder);
    if (placeholder != "FIELD") return PresentationOptions::ChoicesOf(placeholder);
    std::vector<Choice> choices;
    for (const std::string& field : nsdisc::ComparedFields()) choices.push_back({field, ""});
    return choices;
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    nsdisc::DiffOptions options;
    options.all = all_;
    NSCTL_ASSIGN_OR_RETURN(options.types, ResolveTypes());
    NSCTL_ASSIGN_OR_RETURN(options.ignored, ResolveIgnored());
    NSCTL_RETURN_IF_ERROR(CheckArguments());
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> before,
                           SourceOptions::ReadFrom(before_, env));
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> after, Later(*before, env));
    NSCTL_ASSIGN_OR_RETURN(nsdisc::SnapshotDiff diff,
                           nsdisc::DiffSnapshots(*before, *after, options));
    diff.mutable_before()->set_name(base::EncodeText(before_));
    diff.mutable_after()->set_name(base::EncodeText(after_));
    if (!quiet_) {
      NSCTL_RETURN_IF_ERROR(Write(diff, format, presentation, env.out));
    }
    const ExitStatus status = quiet_ && !strict_
                                  ? ExitStatus::kDone
                                  : FinishWithGaps(env, kInfo.name, GapsOf(diff), strict_);
    return diff.equal() ? status : ExitStatus::kDifferent;
  }

 private:
  absl::StatusOr<std::vector<base::NamespaceType>> ResolveTypes() const {
    std::vector<base::NamespaceType> types;
    for (const std::string& name : SplitLists(types_)) {
      const std::optional<base::NamespaceType> type = base::NamespaceTypeFromName(name);
      if (type.has_value()) {
        types.push_back(*type);
        continue;
      }
      std::vector<std::string> names;
      for (const Choice& choice : ScanScopeOptions::ChoicesOf("TYPE"))
        names.push_back(choice.value);
      return UnknownWord("type", name, names);
    }
    return types;
  }

  // "name" is a field of more than one section.
  absl::StatusOr<std::vector<std::string>> ResolveIgnored() const {
    const std::vector<std::string> known = nsdisc::ComparedFields();
    std::vector<std::string> words = SplitLists(ignored_);
    for (const std::string& word : words) {
      const bool is_known = absl::c_any_of(known, [&](const std::string& field) {
        return field == word || field.substr(field.find('.') + 1) == word;
      });
      if (!is_known) return UnknownWord("field", word, known);
    }
    return words;
  }

  absl::Status CheckArguments() const {
    if (before_.empty()) return UsageError("a snapshot to compare with is missing");
    if (before_ == "-" && after_ == "-") return UsageError("\"-\" can be read but once");
    if (!after_.empty() && !procfs_.empty()) {
      return UsageError("--procfs goes with one file only");
    }
    if (!after_.empty() && !census_.empty()) {
      return UsageError("--census goes with one file only");
    }
    return SourceOptions::WantsBpf(census_).status();
  }

  // A scan for as much as `before` has.
  absl::StatusOr<std::unique_ptr<Snapshot>> Later(const Snapshot& before, Environment& env) const {
    if (!after_.empty()) return SourceOptions::ReadFrom(after_, env);
    nsdisc::DiscoverOptions wanted;
    wanted.threads = before.options().threads();
    wanted.mounts = before.options().mounts();
    wanted.ipc_counts = absl::c_any_of(
        before.namespaces(), [](const nsdisc::Namespace& ns) { return ns.has_ipc_counts(); });
    if (before.options().all_capability_sets()) {
      wanted.capabilities = nsdisc::CapabilitySets::kAll;
    } else if (before.options().capabilities()) {
      wanted.capabilities = nsdisc::CapabilitySets::kEffective;
    }
    NSCTL_ASSIGN_OR_RETURN(wanted.bpf_census, WantsBpf(before));
    std::optional<absl::Duration> engines;
    if (before.options().containers()) engines = kEnginePatience;
    return SourceOptions::Scan(procfs_, wanted, engines, AskFor::kPresent, env);
  }

  // Where it was not said, as `before` was taken.
  absl::StatusOr<bool> WantsBpf(const Snapshot& before) const {
    if (!census_.empty()) return SourceOptions::WantsBpf(census_);
    return absl::c_any_of(before.statistics().sources(), [](const nsdisc::SourceReport& report) {
      return report.source() == nsdisc::SourceReport::bpf &&
             report.state() == nsdisc::SourceReport::used;
    });
  }

  static absl::Status Write(const nsdisc::SnapshotDiff& diff, Format format,
                            const Presentation& presentation, Writer* out) {
    if (format == Format::kTable) {
      PrintDiff(diff, presentation, out);
      return absl::OkStatus();
    }
    const auto for_each_change = [&](RecordSink sink) {
      for (const nsdisc::Change& change : diff.changes()) sink(change);
    };
    return WriteMessage(diff, for_each_change, format, out);
  }

  // With one for each change that is unknown.
  static Gaps GapsOf(const nsdisc::SnapshotDiff& diff) {
    Gaps gaps = diff.gaps();
    for (const nsdisc::Change& change : diff.changes()) {
      if (change.kind() != nsdisc::Change::unknown) continue;
      nsdisc::Gap* const gap = gaps.Add();
      gap->set_subject(change.subject());
      gap->set_operation("compare");
      gap->set_error("ENODATA");
      gap->set_consequence("whether it changed is unknown");
      gap->set_count(1);
    }
    return gaps;
  }

  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::string before_;
  std::string after_;
  std::string procfs_;
  std::string census_;
  std::vector<std::string> types_;
  std::vector<std::string> ignored_;
  bool all_ = false;
  bool quiet_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kDiffCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<DiffCommand>(); }};

}  // namespace nsctl::cmd
