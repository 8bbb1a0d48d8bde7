#include "cmd/containers_command.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/container_reference.h"
#include "cmd/containers.pb.h"
#include "cmd/containers_columns.h"
#include "cmd/containers_result.h"
#include "cmd/containers_tree.h"
#include "cmd/diagnostics.h"
#include "cmd/engine_inquiry.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/source_options.h"
#include "cmd/usage.h"
#include "nsdisc/containers.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

using engines::Container;
using engines::Engine;

constexpr char kGroup[] = "What to look at";

constexpr CommandInfo kInfo = {
    .name = "containers",
    .alias = nullptr,
    .summary = "engines, containers, pods and projects",
    .arguments = "",
    .description =
        "Draws all container engines, below each its projects and pods with their\n"
        "containers, and below a container the engines that run in it. Engines are found\n"
        "by the sockets that their processes listen at, in whatever namespaces, and\n"
        "asked at once; one that does not answer is told on stderr. Containers that do\n"
        "not run are shown with --all, and where --state names such a state.",
    .examples =
        "nsctl containers\n"
        "nsctl containers --list --state running,paused\n"
        "nsctl containers --all --list\n"
        "nsctl containers --project shop -o json\n"
        "nsctl containers --label app=web -c NAME,PID --noheadings\n"
        "nsctl containers --all-engines --wait 10s",
    .apart = Apart::kAgain,
};

std::vector<Choice> StateChoices() {
  std::vector<Choice> choices;
  for (int state = Container::created; state <= Container::State_MAX; ++state) {
    choices.push_back({engines::StateName(static_cast<Container::State>(state)), ""});
  }
  return choices;
}

std::vector<Choice> EngineChoices() {
  static_assert(Engine::Type_MAX == Engine::evidence, "a new type is a new choice");
  return {{"docker", "Docker"},
          {"podman", "Podman"},
          {"containerd", "containerd; of what Docker has there, Docker tells"},
          {"cri", "a runtime that is known by the Kubernetes interface alone"},
          {"crio", "CRI-O"},
          {"incus", "Incus"},
          {"lxd", "LXD"},
          {"lxc", "LXC"},
          {"nspawn", "systemd-nspawn, with or without systemd-machined"},
          {"evidence", "what helper processes and control groups show, where no engine tells"}};
}

class ContainersCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    const auto add = [app](const char* name, std::vector<std::string>& words, const char* help,
                           const char* type) {
      app->add_option(name, words, help)->type_name(type)->allow_extra_args(false)->group(kGroup);
    };
    add("--engine", engines_,
        "only containers of these types of engines, or keys: docker, docker:1234", "ENGINE,...");
    add("--project", projects_, "only containers of these projects", "PROJECT,...");
    add("--pod", pods_,
        "only containers of these pods: NAME, NAMESPACE/NAME, the UID of Kubernetes, or 12 or more "
        "digits of an id",
        "POD,...");
    add("--label", labels_, "only containers with this label, and all others that are given",
        "NAME[=VALUE]");
    add("--state", states_, "only containers in these states", "STATE,...");
    app->add_flag("-a,--all", all_, "also containers that do not run: created, exited, dead")
        ->group(kGroup);
    app->add_flag("--all-engines", all_engines_, "also engines without such containers")
        ->group(kGroup);
    source_.AddTo(app);
    wait_.AddWaitTo(app);
    output_.AddTo(app);
    app->add_flag("-l,--list", list_, "a table in place of a tree")->group("Appearance");
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
    if (placeholder == "COLUMN") return ContainerColumnChoices();
    if (placeholder == "STATE") return StateChoices();
    if (placeholder == "ENGINE") return EngineChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return {};
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const ContainerFilter filter, ResolveFilter());
    NSCTL_ASSIGN_OR_RETURN(
        const std::vector<size_t> columns,
        SelectContainerColumns(columns_.empty() && WantsStopped(filter)
                                   ? std::vector<std::string>{"+EXIT", "+FINISHED"}
                                   : columns_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const ContainerList list,
                           source_.is_file() ? Recorded(filter, env) : Present(filter, env));
    if (format != Format::kTable) {
      const auto for_each_container = [&](RecordSink sink) {
        for (const Container& container : list.containers()) sink(container);
      };
      NSCTL_RETURN_IF_ERROR(WriteMessage(list, for_each_container, format, env.out));
    } else if (list_ || !columns_.empty()) {
      MakeContainerTable(list, columns, presentation).Print(presentation, env.out);
    } else {
      PrintContainerTree(list, presentation, env.out);
    }
    return FinishWithGaps(env, kInfo.name, list.gaps(), strict_);
  }

 private:
  absl::StatusOr<ContainerFilter> ResolveFilter() const {
    ContainerFilter filter;
    filter.engines = SplitLists(engines_);
    for (const std::string& word : filter.engines) {
      Engine::Type type;
      // A key has a colon.
      if (word.find(':') == std::string::npos && !Engine::Type_Parse(word, &type)) {
        return UnknownWord("engine", word, ValuesOf(EngineChoices()));
      }
    }
    filter.projects = SplitLists(projects_);
    filter.pods = SplitLists(pods_);
    for (const std::string& word : SplitLists(states_)) {
      Container::State state;
      if (!Container::State_Parse(word, &state)) {
        return UnknownWord("state", word, ValuesOf(StateChoices()));
      }
      filter.states.push_back(state);
    }
    // A value may have commas.
    for (const std::string& word : labels_) {
      const size_t equals = word.find('=');
      std::optional<std::string> value;
      if (equals != std::string::npos) value = word.substr(equals + 1);
      filter.labels.emplace_back(word.substr(0, equals), std::move(value));
    }
    filter.all_engines = all_engines_;
    return filter;
  }

  bool WantsStopped(const ContainerFilter& filter) const {
    return all_ || absl::c_any_of(filter.states, [](Container::State state) {
             return !engines::IsAlive(state) && state != Container::restarting;
           });
  }

  absl::StatusOr<ContainerList> Recorded(const ContainerFilter& filter, Environment& env) const {
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           source_.Acquire({}, nsdisc::DiscoverOptions(), env));
    ContainerList list = BuildContainerList(*snapshot, filter);
    *list.mutable_taken_at() = snapshot->taken_at();
    *list.mutable_host() = snapshot->host();
    for (const nsdisc::Gap& gap : snapshot->gaps()) {
      if (nsdisc::IsOfEngine(gap, *snapshot) && MayMatter(*snapshot, filter, gap.subject())) {
        *list.add_gaps() = gap;
      }
    }
    if (!snapshot->options().containers()) {
      nsdisc::Gap* const gap = list.add_gaps();
      gap->set_subject("host");
      gap->set_operation("ask for containers");
      gap->set_error("ENODATA");
      gap->set_consequence("the snapshot was taken without");
      gap->set_count(1);
    }
    return list;
  }

  absl::StatusOr<ContainerList> Present(const ContainerFilter& filter, Environment& env) const {
    NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, wait_.ResolveWait());
    const absl::Time deadline = absl::Now() + wait;
    NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs,
                           env.system->OpenProcfs(source_.procfs()));
    NSCTL_ASSIGN_OR_RETURN(
        const std::unique_ptr<EngineInquiry> inquiry,
        env.system->AskEngines(procfs, WantsStopped(filter) ? AskFor::kStopped : AskFor::kPresent,
                               {}));
    if (inquiry == nullptr) {
      return absl::FailedPreconditionError(
          "engines tell of containers on the running host alone; a snapshot has them (--from)");
    }
    engines::Containers known = inquiry->Await(
        deadline, [&](const engines::Containers& so_far) { return HaveTold(so_far, filter); });
    const auto is_other = [&](const engines::EngineGap& gap) {
      return !MayMatter(known, filter, gap.subject());
    };
    known.mutable_gaps()->erase(
        std::remove_if(known.mutable_gaps()->begin(), known.mutable_gaps()->end(), is_other),
        known.mutable_gaps()->end());
    ContainerList list = BuildContainerList(known, filter);
    list.mutable_taken_at()->set_seconds(absl::ToUnixSeconds(env.system->Now()));
    nsdisc::AppendGaps(known, list.mutable_gaps());
    const bool has_engines = absl::c_any_of(
        known.engines(), [](const Engine& engine) { return engine.type() != Engine::evidence; });
    if (!has_engines && list.containers().empty()) {
      Complain(env, kInfo.name,
               "no container engine was found, nor processes that look like a container's");
    }
    return list;
  }

  SourceOptions source_;
  ContainerOptions wait_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::vector<std::string> engines_;
  std::vector<std::string> projects_;
  std::vector<std::string> pods_;
  std::vector<std::string> labels_;
  std::vector<std::string> states_;
  std::vector<std::string> columns_;
  bool all_ = false;
  bool all_engines_ = false;
  bool list_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kContainersCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<ContainersCommand>(); }};

}  // namespace nsctl::cmd
