#include "cmd/tree_command.h"

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
#include "cmd/scan_options.h"
#include "cmd/source_options.h"
#include "cmd/tree.pb.h"
#include "cmd/tree_dot.h"
#include "cmd/tree_result.h"
#include "cmd/tree_text.h"
#include "cmd/usage.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "tree",
    .alias = nullptr,
    .summary = "hierarchies of namespaces with what they own",
    .arguments = "[VIEW]",
    .description =
        "Draws user namespaces below their parents, each with the namespaces that it\n"
        "owns; or PID namespaces below theirs, each with its owner; or mount namespaces\n"
        "below their owners.",
    .examples =
        "nsctl tree\n"
        "nsctl tree --type net\n"
        "nsctl tree pid --details\n"
        "nsctl tree mnt\n"
        "nsctl tree owner --pid container:web\n"
        "nsctl tree -o dot | dot -Tsvg > tree.svg\n"
        "nsctl tree owner --from host.pb --ascii",
    .apart = Apart::kAgain,
};

class TreeCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("view", view_, "what to draw; default: user")->type_name("VIEW");
    scope_.AddTo(app, "draw only owned namespaces of these types");
    app->add_option("-p,--pid", pids_,
                    "draw only namespaces that one of these processes is in, and those above; a "
                    "container stands for its initial process")
        ->type_name("PID,...")
        ->allow_extra_args(false)
        ->group("What to look at");
    app->add_flag("--no-owned", no_owned_, "leave out what user namespaces own")
        ->group("What to look at");
    app->add_flag("--all-leaders", all_leaders_, "name every leader, not only the oldest")
        ->group("What to look at");
    app->add_flag("-d,--details", details_,
                  "containers, and below each namespace what holds it, its names, maps and offsets")
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
    if (placeholder == "VIEW") {
      return {{"user", "user namespaces with what they own (default)"},
              {"pid", "PID namespaces with their owners"},
              {"mnt", "mount namespaces below their owners"},
              {"owner", "every namespace below its owner"}};
    }
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ScanScopeOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    TreeRequest request;
    request.without_owned = no_owned_;
    request.all_leaders = all_leaders_;
    request.details = details_;
    if (view_ == "unspecified" || !NamespaceTree::View_Parse(view_, &request.view)) {
      return UnknownWord("view", view_, {"user", "pid", "mnt", "owner"});
    }
    NSCTL_ASSIGN_OR_RETURN(ScanScope scope, scope_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(const std::optional<absl::Duration> wait, containers_.Resolve());
    NSCTL_ASSIGN_OR_RETURN(request.pids, ParsePidReferences(pids_));
    scope.stopped_containers = NameContainer(request.pids);
    if (details_ || scope.stopped_containers) scope.engines = wait;
    request.owned_types = scope.types;
    if (request.view == NamespaceTree::mnt && (no_owned_ || !scope.types.empty())) {
      return UsageError("tree mnt draws mount namespaces alone: leave --type and --no-owned out");
    }
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    // Only the oldest leaders are read in detail unless all are shown, or somebody is to be found.
    const nsdisc::ProcessDetail detail = all_leaders_ || !pids_.empty()
                                             ? nsdisc::ProcessDetail::kAll
                                             : nsdisc::ProcessDetail::kRepresentatives;
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           source_.Acquire(scope, nsdisc::ScanOptions::loose, detail, env));
    NSCTL_ASSIGN_OR_RETURN(const NamespaceTree tree, BuildNamespaceTree(*snapshot, request));
    if (format == Format::kTable) {
      PrintTree(tree, presentation, details_, env.out);
    } else if (format == Format::kDot) {
      WriteTreeGraph(tree, details_, env.out);
    } else {
      const auto for_each_root = [&](RecordSink sink) {
        for (const NamespaceTree::Node& root : tree.roots()) sink(root);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(tree, for_each_root, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, tree.gaps(), strict_);
  }

 private:
  SourceOptions source_;
  ContainerOptions containers_;
  ScanScopeOptions scope_;
  OutputOptions output_{"table", Format::kDot};
  PresentationOptions presentation_;
  std::string view_ = "user";
  std::vector<std::string> pids_;
  bool no_owned_ = false;
  bool all_leaders_ = false;
  bool details_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kTreeCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<TreeCommand>(); }};

}  // namespace nsctl::cmd
