#include "cmd/why_command.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/container_search.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/target.h"
#include "cmd/target_in_snapshot.h"
#include "cmd/target_scan.h"
#include "cmd/usage.h"
#include "cmd/why.pb.h"
#include "cmd/why_dot.h"
#include "cmd/why_result.h"
#include "cmd/why_text.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using nsdisc::Namespace;
using nsdisc::SnapshotIndex;

constexpr CommandInfo kInfo = {
    .name = "why",
    .alias = nullptr,
    .summary = "everything that keeps a namespace alive",
    .arguments = "TARGET",
    .description =
        "Tells all that holds a namespace, or each namespace of a process: processes,\n"
        "threads, children to be, descriptors, sockets, mounts of its file, namespaces\n"
        "that it is the parent or the owner of; and what holds those in turn. Then what\n"
        "is to be concluded: whether there may be more than that.\n"
        "\n" NSCTL_TARGET_HELP,
    .examples =
        "nsctl why net:[4026532191]\n"
        "nsctl why /run/netns/x\n"
        "nsctl why 1234 --type net,mnt\n"
        "nsctl why user:[4026532187] -o dot | dot -Tsvg > why.svg\n"
        "nsctl why pid:[4026532189] --from host.pb -o json",
    .apart = Apart::kAgain,
};

// The namespaces of `process` that are in the snapshot, of `types` or all.
absl::StatusOr<std::vector<const Namespace*>> NamespacesOf(
    const nsdisc::Process& process, const std::vector<base::NamespaceType>& types,
    const SnapshotIndex& index) {
  std::vector<const Namespace*> found;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    if (!types.empty() && !absl::c_linear_search(types, info.type)) continue;
    const std::optional<uint32_t> inode = nsdisc::NamespaceOf(process.namespaces(), info.type);
    if (!inode.has_value()) continue;
    const Namespace* const ns = index.FindNamespace(info.type, *inode);
    if (ns != nullptr) found.push_back(ns);
  }
  if (!found.empty()) return found;
  return absl::NotFoundError(
      absl::StrCat("the namespaces of process ", process.pid(), " are unknown",
                   process.namespaces_error().empty() ? "" : ": ", process.namespaces_error()));
}

class WhyCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("target", target_, "what is kept alive")->type_name("TARGET");
    scope_.AddTo(app, "of a process's namespaces only those of these types");
    app->add_flag("-a,--all", all_, "every process, not only leaders, and all of a kind")
        ->group("What to look at");
    source_.AddTo(app);
    source_.AddCensusTo(app);
    containers_.AddTo(app);
    output_.AddTo(app);
    presentation_.AddGlyphsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ScanScopeOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    if (target_.empty()) return UsageError("give a TARGET");
    NSCTL_ASSIGN_OR_RETURN(const Target target, ParseTarget(target_));
    NSCTL_ASSIGN_OR_RETURN(ScanScope scope, scope_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(scope.engines, containers_.Resolve());
    if (!scope.types.empty() && !std::holds_alternative<ProcessTarget>(target) &&
        !IsContainer(target)) {
      return UsageError("--type goes with a process: a namespace has its own");
    }
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(
        const TargetScan scan,
        ScanForTarget(target, source_, scope, nsdisc::ProcessDetail::kRepresentatives, env));
    const SnapshotIndex index(*scan.snapshot);
    NSCTL_ASSIGN_OR_RETURN(const TargetInSnapshot found, FindPlaceIn(index, scan.target));
    std::vector<const Namespace*> targets = {found.ns};
    if (found.process != nullptr) {
      NSCTL_ASSIGN_OR_RETURN(targets, NamespacesOf(*found.process, scope.types, index));
    }

    const WhyAlive why = BuildWhy(index, targets, {.all_processes = all_});
    if (format == Format::kTable) {
      PrintWhy(why, all_, presentation, env.out);
    } else if (format == Format::kDot) {
      WriteWhyGraph(why, env.out);
    } else {
      const auto for_each_namespace = [&](RecordSink sink) {
        for (const KeptNamespace& kept : why.namespaces()) sink(kept);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(why, for_each_namespace, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, why.gaps(), strict_);
  }

 private:
  SourceOptions source_;
  ContainerOptions containers_;
  ScanScopeOptions scope_;
  OutputOptions output_{"table", Format::kDot};
  PresentationOptions presentation_;
  std::string target_;
  bool all_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kWhyCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<WhyCommand>(); }};

}  // namespace nsctl::cmd
