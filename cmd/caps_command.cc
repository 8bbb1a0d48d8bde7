#include "cmd/caps_command.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "cmd/caps.pb.h"
#include "cmd/caps_result.h"
#include "cmd/caps_text.h"
#include "cmd/container_options.h"
#include "cmd/container_search.h"
#include "cmd/gap_report.h"
#include "cmd/message_output.h"
#include "cmd/namespace_at_path.h"
#include "cmd/output_options.h"
#include "cmd/pid_reference.h"
#include "cmd/presentation_options.h"
#include "cmd/source_options.h"
#include "cmd/target.h"
#include "cmd/usage.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using nsdisc::Process;

constexpr char kGroup[] = "What to look at";

constexpr CommandInfo kInfo = {
    .name = "caps",
    .alias = nullptr,
    .summary = "which capabilities a process has in a namespace, and why",
    .arguments = "[TARGET]",
    .description =
        "Says which capabilities (capabilities(7)) a process has in a namespace by the\n"
        "kernel's rule, and draws the user namespaces from one to the other. What counts\n"
        "for a namespace that is no user namespace is the one that owns it.\n"
        "\n"
        "  caps 1234                  process 1234 in its own namespaces\n"
        "  caps 1234 --in TARGET      process 1234 in the namespace TARGET\n"
        "  caps TARGET --pid 1234     the same\n"
        "  caps TARGET                nsctl, and thus whoever runs it, in TARGET\n"
        "\n"
        "A process as the place means its user namespace.\n" NSCTL_TARGET_HELP,
    .examples =
        "nsctl caps\n"
        "nsctl caps 1234\n"
        "nsctl caps net:[4026531840] --pid 1234\n"
        "nsctl caps 1 --in 1234 --brief\n"
        "nsctl caps --pid 7@pid:[4026532398] -o json",
    .apart = Apart::kAgain,
};

// Where a process is judged, as the words of the command line name it.
struct Question {
  // Absent: nsctl itself.
  std::optional<PidReference> process = std::nullopt;
  // Absent: in its own namespaces.
  std::optional<Target> place = std::nullopt;
};

class CapsCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    app->add_option("target", target_, "a namespace, or a process")->type_name("TARGET");
    app->add_option("-p,--pid", pid_,
                    "judge this process; PID@pid:[INODE] is a number of that PID namespace")
        ->type_name("PID")
        ->take_last()
        ->group(kGroup);
    app->add_option("-n,--ns", pid_namespace_, "the PID of --pid is a number of this PID namespace")
        ->type_name("NAMESPACE")
        ->take_last()
        ->group(kGroup);
    app->add_option("--in", in_, "judge the process TARGET in this namespace")
        ->type_name("TARGET")
        ->take_last()
        ->group(kGroup);
    source_.AddTo(app);
    source_.AddCensusTo(app);
    engines_.AddWaitTo(app);
    output_.AddTo(app);
    app->add_flag("--brief", brief_, "leave out the names of capabilities and the process's sets")
        ->group("Appearance");
    presentation_.AddGlyphsTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddColorTo(app);
    app->add_flag("--strict", strict_, "exit with 3 where the result has gaps");
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "CENSUS") return SourceOptions::CensusChoices();
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    return PresentationOptions::ChoicesOf(placeholder);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_ASSIGN_OR_RETURN(const Question question, ResolveQuestion());
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    ScanScope scope;
    NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, engines_.ResolveWait());
    const bool has_container = question.process.has_value() && question.process->container;
    if (has_container || (question.place.has_value() && IsContainer(*question.place))) {
      scope.engines = wait;
      scope.stopped_containers = true;
    }
    nsdisc::DiscoverOptions wanted;
    wanted.threads = nsdisc::ScanOptions::none;
    wanted.capabilities = nsdisc::CapabilitySets::kAll;
    NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                           source_.Acquire(scope, wanted, env));
    const nsdisc::SnapshotIndex index(*snapshot);
    CapsRequest request{.process = nullptr};
    NSCTL_ASSIGN_OR_RETURN(request.process, FindSubject(question, index));
    const bool is_self = source_.is_live() && request.process->pid() == snapshot->scanner().pid();
    if (is_self) request.securebits = env.system->Securebits();
    Namespace unseen;
    NSCTL_ASSIGN_OR_RETURN(request.target, FindPlace(question, index, &unseen));

    const CapabilityReport report = BuildCapabilityReport(index, request);
    if (format == Format::kTable) {
      PrintCapabilityReport(report, brief_, presentation, env.out);
    } else {
      const auto whole = [&](RecordSink sink) { sink(report); };
      NSCTL_RETURN_IF_ERROR(WriteMessage(report, whole, format, env.out));
    }
    return FinishWithGaps(env, kInfo.name, report.gaps(), strict_);
  }

 private:
  absl::StatusOr<Question> ResolveQuestion() const {
    Question question;
    std::optional<Target> target;
    if (!target_.empty()) {
      NSCTL_ASSIGN_OR_RETURN(target, ParseTarget(target_));
    }
    if (!pid_.empty()) {
      if (!in_.empty()) return UsageError("--in goes with a process as TARGET, not with --pid");
      NSCTL_ASSIGN_OR_RETURN(question.process, ParsePidReference(pid_));
      NSCTL_RETURN_IF_ERROR(AddPidNamespace(&*question.process));
      question.place = target;
      return question;
    }
    if (!pid_namespace_.empty()) return UsageError("--ns goes with --pid");
    const auto* const process = target.has_value() ? std::get_if<ProcessTarget>(&*target) : nullptr;
    if (target.has_value() && IsContainer(*target)) {
      question.process = PidReference{.pid = {0}, .container = target};
    } else if (process != nullptr) {
      question.process = PidReference{.pid = process->pid, .pidfd_inode = process->pidfd_inode};
    } else if (target.has_value() && !in_.empty()) {
      return UsageError("--in goes with a process as TARGET");
    } else {
      question.place = target;
    }
    if (!in_.empty()) {
      NSCTL_ASSIGN_OR_RETURN(question.place, ParseTarget(in_));
    }
    return question;
  }

  absl::Status AddPidNamespace(PidReference* reference) const {
    if (pid_namespace_.empty()) return absl::OkStatus();
    if (reference->pid_namespace.has_value()) {
      return UsageError("--ns says again whose number the PID is");
    }
    NSCTL_ASSIGN_OR_RETURN(const NamespaceReference ns, ParseNamespaceReference(pid_namespace_));
    if (ns.type.value_or(NamespaceType::kPid) != NamespaceType::kPid) {
      return UsageError(absl::StrCat("not a PID namespace: ", QuotedArgument(pid_namespace_)));
    }
    reference->pid_namespace = ns.inode;
    return absl::OkStatus();
  }

  absl::StatusOr<const Process*> FindSubject(const Question& question,
                                             const nsdisc::SnapshotIndex& index) const {
    if (question.process.has_value()) {
      return FindProcess(*question.process, index, nsdisc::PidMap(index));
    }
    if (!source_.is_live()) {
      return UsageError("say which process with --pid: nsctl is none of those that are looked at");
    }
    return FindProcess({.pid = {index.snapshot().scanner().pid()}}, index, nsdisc::PidMap(index));
  }

  // `unseen` becomes the namespace where it is one that the snapshot does not have.
  absl::StatusOr<const Namespace*> FindPlace(const Question& question,
                                             const nsdisc::SnapshotIndex& index,
                                             Namespace* unseen) const {
    if (!question.place.has_value()) return nullptr;
    const Target& place = *question.place;
    if (const auto* const ns = std::get_if<NamespaceTarget>(&place)) {
      return FindNamespace({ns->type, ns->inode}, index);
    }
    if (const auto* const path = std::get_if<PathTarget>(&place)) {
      return FindBehind(path->path, index, unseen);
    }
    PidReference reference{.pid = {0}, .container = place};
    if (const auto* const target = std::get_if<ProcessTarget>(&place)) {
      reference = {.pid = target->pid, .pidfd_inode = target->pidfd_inode};
    }
    NSCTL_ASSIGN_OR_RETURN(const Process* process,
                           FindProcess(reference, index, nsdisc::PidMap(index)));
    if (!process->namespaces().has_user()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the user namespace of process ", process->pid(), " is unknown: ",
          process->namespaces_error().empty() ? "it has none" : process->namespaces_error()));
    }
    return FindNamespace({NamespaceType::kUser, process->namespaces().user()}, index);
  }

  // What a bind mount or a link below /proc leads to.
  absl::StatusOr<const Namespace*> FindBehind(const std::string& path,
                                              const nsdisc::SnapshotIndex& index,
                                              Namespace* unseen) const {
    if (!source_.is_live()) {
      return UsageError("a path as TARGET is looked up on the live host only");
    }
    NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd fd, OpenNamespaceAtPath(path));
    NSCTL_ASSIGN_OR_RETURN(const NamespaceType type, base::NamespaceTypeOf(fd));
    NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
    const Namespace* const known = index.FindNamespace(type, id.inode);
    if (known != nullptr) return known;
    unseen->set_type(nsdisc::ToProto(type));
    unseen->set_inode(id.inode);
    const absl::StatusOr<base::OwnedFd> owner = base::OpenOwner(fd);
    if (!owner.ok()) return unseen;
    NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId owner_id, base::NamespaceIdOf(*owner));
    if (type == NamespaceType::kUser) {
      unseen->set_parent(owner_id.inode);
    } else {
      unseen->set_owner(owner_id.inode);
    }
    return unseen;
  }

  SourceOptions source_;
  ContainerOptions engines_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  std::string target_;
  std::string pid_;
  std::string pid_namespace_;
  std::string in_;
  bool brief_ = false;
  bool strict_ = false;
};

}  // namespace

const CommandEntry kCapsCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<CapsCommand>(); }};

}  // namespace nsctl::cmd
