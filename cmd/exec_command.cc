#include "cmd/exec_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/status_macros.h"
#include "cmd/container_options.h"
#include "cmd/diagnostics.h"
#include "cmd/exec.pb.h"
#include "cmd/exec_containers.h"
#include "cmd/exec_dry_run.h"
#include "cmd/exec_each.h"
#include "cmd/exec_options.h"
#include "cmd/exec_prepare.h"
#include "cmd/exec_run.h"
#include "cmd/exec_signals.h"
#include "cmd/exec_supervisor.h"
#include "cmd/exec_terminal.h"
#include "cmd/exec_text.h"
#include "cmd/exec_words.h"
#include "cmd/message_output.h"
#include "cmd/output_options.h"
#include "cmd/presentation_options.h"
#include "cmd/usage.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {
namespace {

constexpr CommandInfo kInfo = {
    .name = "exec",
    .alias = nullptr,
    .summary = "run a command in a target's namespaces",
    .arguments = "TARGET [-- COMMAND...]",
    .description =
        "Runs a command, or a shell, in the namespaces of a process, or in one\n"
        "namespace alone. Without options from the first group below these are all of\n"
        "the process's that differ from nsctl's own. Everything is opened and checked\n"
        "before the first switch, and the command starts only where all was entered.\n"
        "\n"
        "Options are nsenter's; what follows the target, from the first word on that\n"
        "is no option, is the command. Exit status: the command's own, 128 + n where\n"
        "signal n ended it, 125 where nsctl failed, 126 where the command cannot be\n"
        "executed, 127 where it is not there; with --each the first that is not 0.\n"
        "\n" NSCTL_TARGET_HELP,
    .examples =
        "nsctl exec 1234 -- ip addr\n"
        "nsctl exec -n /run/netns/x -- ss -tl\n"
        "nsctl exec -it 1234\n"
        "nsctl exec --dry-run 1234\n"
        "nsctl exec --each --jobs 4 1234 1240 1260 -- hostname\n"
        "nsctl exec -it container:web",
};

class ExecCommand : public Command {
 public:
  void AddOptions(CLI::App* app) override {
    AddExecOptions(app, &settings_);
    engines_.AddWaitTo(app);
    output_.AddTo(app);
    presentation_.AddTruncationTo(app);
    presentation_.AddHeadingsTo(app);
    presentation_.AddColorTo(app);
  }

  std::vector<Choice> ChoicesOf(absl::string_view placeholder) const override {
    if (placeholder == "FORMAT") return output_.ChoicesOf(placeholder);
    if (placeholder == "WHEN") return PresentationOptions::ChoicesOf(placeholder);
    return ExecChoicesOf(placeholder);
  }

  void TakeWords(const CLI::App& app, std::vector<std::string>* words) override {
    ExecWords split = SplitExecWords(app, *words);
    settings_.command = std::move(split.command);
    settings_.problem = std::move(split.problem);
    *words = std::move(split.options);
  }

  absl::StatusOr<ExitStatus> Run(Environment& env) override {
    NSCTL_RETURN_IF_ERROR(CheckExecSettings(settings_));
    NSCTL_ASSIGN_OR_RETURN(const Presentation presentation, presentation_.Resolve(env));
    NSCTL_ASSIGN_OR_RETURN(const Format format, output_.Resolve(env));
    if (format != Format::kTable && !settings_.each && !settings_.dry_run) {
      return UsageError("-o goes with --each and --dry-run: other output is the command's");
    }
    absl::StatusOr<int> status = RunScene(presentation, format, env);
    if (status.ok()) return static_cast<ExitStatus>(*status);
    if (IsUsageError(status.status())) return status.status();
    Complain(env, kInfo.name, status.status().message());
    return static_cast<ExitStatus>(kExecFailed);
  }

 private:
  absl::StatusOr<int> RunScene(const Presentation& presentation, Format format, Environment& env);
  absl::StatusOr<int> RunOne(const ExecScene& scene, Environment& env);
  absl::StatusOr<int> RunEach(const ExecScene& scene, const Presentation& presentation,
                              Format format, Environment& env);
  absl::StatusOr<int> DryRun(const ExecScene& scene, Format format, Environment& env);
  absl::StatusOr<int> Become(const ExecScene& scene, Environment& env);
  absl::Status OpenReport();
  absl::Status WriteReport(const ExecReport& report);

  std::string FirstTarget() const {
    return settings_.targets.empty() ? "" : settings_.targets.front();
  }

  ExecSettings settings_;
  ContainerOptions engines_;
  OutputOptions output_{"table"};
  PresentationOptions presentation_;
  base::OwnedFd report_file_;
};

absl::Status WriteResults(const ExecReport& report, Format format, Writer* out) {
  const auto for_each_record = [&](RecordSink sink) {
    for (const ExecResult& result : report.results()) sink(result);
  };
  return WriteMessage(report, for_each_record, format, out);
}

// The first that is not 0.
int FirstFailure(const ExecReport& report) {
  for (const ExecResult& result : report.results()) {
    if (result.exit_status() != 0) return result.exit_status();
  }
  return 0;
}

absl::Status ExecCommand::OpenReport() {
  if (settings_.report.empty()) return absl::OkStatus();
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY;
  NSCTL_ASSIGN_OR_RETURN(report_file_,
                         base::OpenAt(base::FdRef(AT_FDCWD), settings_.report, kFlags, 0644));
  return absl::OkStatus();
}

absl::Status ExecCommand::WriteReport(const ExecReport& report) {
  if (!report_file_.ok()) return absl::OkStatus();
  FdWriter writer(report_file_);
  NSCTL_RETURN_IF_ERROR(WriteResults(report, Format::kJson, &writer));
  return writer.Flush();
}

absl::StatusOr<int> ExecCommand::RunOne(const ExecScene& scene, Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const SignalSource signals, SignalSource::Open());
  std::optional<Pty> pty;
  RunningExec::Streams streams;
  const bool wants_terminal =
      settings_.terminal == "always" || (settings_.terminal == "auto" && isatty(env.in.get()) == 1);
  if (wants_terminal) {
    NSCTL_ASSIGN_OR_RETURN(pty, Pty::Open());
    CopyWindowSize(env.in, pty->master);
    streams.terminal = std::move(pty->slave);
  }
  RunningExec run = RunningExec::Start(scene, FirstTarget(), signals, std::move(streams));
  if (run.process() != nullptr) {
    const absl::Status watched = Supervise(run, signals, pty.has_value() ? &*pty : nullptr, env.in,
                                           base::FdRef(STDOUT_FILENO, "stdout"));
    if (!watched.ok()) run.Fail(watched);
  }
  if (IsUsageError(run.failure())) return run.failure();
  if (!run.failure().ok()) Complain(env, kInfo.name, run.failure().message());
  ExecReport report;
  *report.add_results() = run.result();
  NSCTL_RETURN_IF_ERROR(WriteReport(report));
  return run.result().exit_status();
}

absl::StatusOr<int> ExecCommand::RunEach(const ExecScene& scene, const Presentation& presentation,
                                         Format format, Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const SignalSource signals, SignalSource::Open());
  const bool stream = format == Format::kTable;
  ExecReport report;
  NSCTL_RETURN_IF_ERROR(RunForEach(scene, signals, stream, env, &report));
  if (stream) {
    PrintExecResults(report, presentation, env.out);
  } else {
    NSCTL_RETURN_IF_ERROR(WriteResults(report, format, env.out));
  }
  NSCTL_RETURN_IF_ERROR(WriteReport(report));
  return FirstFailure(report);
}

absl::StatusOr<int> ExecCommand::DryRun(const ExecScene& scene, Format format, Environment& env) {
  ExecReport report;
  const std::vector<std::string> targets =
      settings_.targets.empty() ? std::vector<std::string>{""} : settings_.targets;
  for (const std::string& target : targets) {
    NSCTL_ASSIGN_OR_RETURN(*report.add_results(), DryRunExec(scene, target));
  }
  NSCTL_RETURN_IF_ERROR(WriteReport(report));
  if (format == Format::kTable) {
    PrintExecPlans(report, env.out);
  } else {
    NSCTL_RETURN_IF_ERROR(WriteResults(report, format, env.out));
  }
  for (const ExecResult& result : report.results()) {
    if (result.error().empty()) continue;
    Complain(env, kInfo.name, result.error());
    return kExecFailed;
  }
  return 0;
}

absl::StatusOr<int> ExecCommand::Become(const ExecScene& scene, Environment& env) {
  const ExecRefusal refusal = BecomeExec(scene, FirstTarget());
  if (IsUsageError(refusal.status)) return refusal.status;
  Complain(env, kInfo.name, refusal.status.message());
  return refusal.exit_status;
}

absl::StatusOr<int> ExecCommand::RunScene(const Presentation& presentation, Format format,
                                          Environment& env) {
  NSCTL_ASSIGN_OR_RETURN(const absl::Duration wait, engines_.ResolveWait());
  LeaveOutHeld(settings_, env);
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::Procfs procfs, env.system->OpenProcfs(""));
  NSCTL_ASSIGN_OR_RETURN(const ExecContainers containers, FindExecContainers(settings_, wait, env));
  const ExecScene scene{settings_,
                        procfs,
                        env.system->QuestionsFor(procfs),
                        env.variables.all,
                        [&](const std::string& warning) {
                          Complain(env, kInfo.name, warning);
                          (void)env.err->Flush();
                        },
                        containers};
  NSCTL_RETURN_IF_ERROR(OpenReport());
  if (settings_.dry_run) return DryRun(scene, format, env);
  if (settings_.no_fork) return Become(scene, env);
  if (settings_.each) return RunEach(scene, presentation, format, env);
  return RunOne(scene, env);
}

}  // namespace

const CommandEntry kExecCommand = {
    &kInfo, []() -> std::unique_ptr<Command> { return std::make_unique<ExecCommand>(); }};

}  // namespace nsctl::cmd
