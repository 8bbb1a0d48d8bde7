#include "cmd/exec_run.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/exec_credentials.h"
#include "cmd/exec_identity.h"
#include "nsentry/enter.h"
#include "nsentry/entry_message.h"
#include "procfsroot/process_files.h"

namespace nsctl::cmd {
namespace {

constexpr char kUnwanted[] = "told to end before the command ran";

int ExitStatusOf(ExecFailure::Kind kind) {
  switch (kind) {
    case ExecFailure::Kind::kNotFound:
      return kExecNotFound;
    case ExecFailure::Kind::kNotExecutable:
      return kExecNotExecutable;
    default:
      return kExecFailed;
  }
}

absl::Status Prepare(const ExecScene& scene, const std::string& target, PreparedExec* prepared) {
  absl::StatusOr<PreparedExec> planned = PlanExec(scene, target);
  if (!planned.ok()) return planned.status();
  *prepared = *std::move(planned);
  return CompleteExec(scene, prepared);
}

void AddOutcomes(const nsentry::EntryPlan& plan, const nsentry::EntryResult& result,
                 ExecResult* message) {
  for (nsentry::EntryOutcome& outcome : nsentry::OutcomesOf(plan, result)) {
    *message->add_namespaces() = std::move(outcome);
  }
}

// The command is of the caller's own mount namespace and root, and nobody in a PID namespace sees
// what leads to it.
bool NeedsNoLauncher(const PreparedExec& prepared) {
  return !prepared.plan->Enters(base::NamespaceType::kMnt) &&
         !prepared.plan->Enters(base::NamespaceType::kPid) && !prepared.spec.root.ok() &&
         !prepared.spec.terminal.ok();
}

// What the child met, with what is behind it where that is known.
absl::Status Explained(const ExecScene& scene, const PreparedExec& prepared,
                       const ExecChild& child) {
  const ExecChild::Outcome outcome = child.GetOutcome();
  if (outcome.step != kSetUid && outcome.step != kSetGid && outcome.step != kSetGroups) {
    return outcome.status;
  }
  const std::string hint =
      CredentialHint(outcome.step, base::ErrnoOf(outcome.status), child.credentials(),
                     *prepared.plan, prepared.target.process.get(), scene.procfs);
  if (hint.empty()) return outcome.status;
  return absl::Status(outcome.status.code(), absl::StrCat(outcome.status.message(), ": ", hint));
}

absl::Status NoAnswer(const ExecChild& child) {
  return absl::DeadlineExceededError(absl::StrCat(child.Step(), ": no answer in time"));
}

}  // namespace

ExecResult BeginResult(const ExecSettings& settings, const std::string& target) {
  ExecResult result;
  // A TARGET is stored text by its grammar; what is no such text is taken as it is.
  result.set_target(base::EncodeText(base::DecodeText(target).value_or(target)));
  for (const std::string& word : settings.command) result.add_command(base::EncodeText(word));
  return result;
}

void TellCommand(const ExecChildSpec& spec, ExecResult* result) {
  result->clear_command();
  for (const std::string& word : spec.command) result->add_command(base::EncodeText(word));
}

RunningExec RunningExec::Start(const ExecScene& scene, const std::string& target,
                               const SignalSource& signals, Streams streams) {
  RunningExec run(scene, absl::Now());
  run.result_ = BeginResult(scene.settings, target);
  run.prepared_ = std::make_unique<PreparedExec>();
  PreparedExec& prepared = *run.prepared_;
  if (const absl::Status status = Prepare(scene, target, &prepared); !status.ok()) {
    if (prepared.plan != nullptr) AddOutcomes(*prepared.plan, {}, &run.result_);
    run.Fail(status);
    return run;
  }
  TellCommand(prepared.spec, &run.result_);
  prepared.spec.terminal = std::move(streams.terminal);
  std::copy(std::begin(streams.standard), std::end(streams.standard), prepared.spec.standard);
  prepared.spec.signal_mask = signals.mask_before();
  prepared.spec.direct = NeedsNoLauncher(prepared);
  run.ending_ = ExecEnding(absl::Now(), scene.settings.TimeLimit());
  if (const absl::Status status = run.StartProcess(signals); !status.ok()) {
    // A signal that has come meanwhile is the reason, and the status of whoever it ends.
    const int signal = signals.PendingEnd();
    absl::IsCancelled(status) ? run.Fail(absl::CancelledError(kUnwanted), kExecSignalBase + signal)
                              : run.Fail(status);
  }
  return run;
}

absl::Status RunningExec::StartProcess(const SignalSource& signals) {
  PreparedExec& prepared = *prepared_;
  NSCTL_ASSIGN_OR_RETURN(ExecChild child,
                         ExecChild::Prepare(std::move(prepared.spec), scene_->procfs.fd()));
  child_ = std::make_unique<ExecChild>(std::move(child));
  nsentry::StartOptions options;
  options.timeout = ExecEnding::kStartLimit;
  options.before_entry = [&] { return child_->BeforeEntry(); };
  options.before_entry_name = "join the target's cgroups";
  options.execute = [&](int answer) { return child_->Run(answer); };
  options.is_cancelled = [&] { return signals.PendingEnd() != 0; };
  nsentry::EntryResult entry;
  absl::StatusOr<nsentry::EnteredProcess> process = nsentry::EnteredProcess::Start(
      *prepared.plan, options, [] { return kExecFailed; }, &entry);
  child_->ReleaseInParent();
  AddOutcomes(*prepared.plan, entry, &result_);
  if (!process.ok()) {
    if (!entry.ok()) return ExecEntryStatus(scene_->settings, *prepared.plan, entry);
    // What it was at says more.
    if (!absl::IsDeadlineExceeded(process.status()) || !child_->HasStep()) return process.status();
    return NoAnswer(*child_);
  }
  process_ = std::make_unique<nsentry::EnteredProcess>(*std::move(process));
  result_.set_pid(process_->pid());
  return absl::OkStatus();
}

void RunningExec::Fail(const absl::Status& status, int exit_status) {
  failure_ = status;
  result_.set_error(std::string(status.message()));
  result_.set_exit_status(exit_status);
}

void RunningExec::Warn(const std::string& text) {
  result_.add_warnings(text);
  const bool is_one_of_many = scene_->settings.each;
  scene_->warn(is_one_of_many ? absl::StrCat(result_.target(), ": ", text) : text);
}

base::FdRef RunningExec::news() const {
  const bool may_warn = child_->credentials().may_keep_groups;
  return may_warn ? base::FdRef(child_->news()) : base::FdRef(-1);
}

void RunningExec::TakeNews() {
  child_->TakeNews();
  if (child_->news().ok() || ending_.runs() || !child_->GetOutcome().status.ok()) return;
  ending_.Runs();
  if (child_->groups_stay()) {
    Warn(absl::StrCat("the supplementary groups stay: setgroups is forbidden in ",
                      InnerUserNamespace(*prepared_->plan, scene_->procfs)));
  }
}

bool RunningExec::IsHeld() const {
  absl::StatusOr<procfsroot::ProcessDir> process =
      scene_->procfs.OpenProcess(base::Pid{process_->pid()});
  if (!process.ok()) return false;
  const absl::StatusOr<std::string> text = process->Read("stat", procfsroot::kMaxStat);
  if (!text.ok()) return false;
  const absl::StatusOr<procfsroot::StatFields> fields = procfsroot::ParseStat(*text);
  return fields.ok() && (fields->state == 'T' || fields->state == 't');
}

void RunningExec::Pass(const SignalSource::Signal& signal, const SignalSource& signals,
                       bool reaches_it) {
  if (!ending_.runs()) TakeNews();
  if (!reaches_it) SendSignal(process_->pidfd(), signal.number);
  if (!signals.AsksToEnd(signal.number)) return;
  // Control-C is how many a program is talked to: it is an order only to one that cannot hear.
  if (reaches_it && ending_.runs() && !IsHeld()) return;
  ending_.Requested(signal.number, absl::Now());
}

bool RunningExec::Tend() {
  if (!ending_.runs() && absl::Now() >= ending_.NextTime()) TakeNews();
  switch (ending_.Next(absl::Now(), [&] { return IsHeld(); })) {
    case ExecEnding::Action::kNone:
      return true;
    case ExecEnding::Action::kTerminate:
      SendSignal(process_->pidfd(), SIGTERM);
      SendSignal(process_->pidfd(), SIGCONT);
      return true;
    case ExecEnding::Action::kKill:
      process_->Kill();
      return true;
    case ExecEnding::Action::kGiveUp:
      break;
  }
  const pid_t pid = process_->pid();
  process_->LeaveBehind();
  if (!FailOnTheWay()) {
    Fail(absl::DeadlineExceededError(absl::StrCat(
             "process ", pid, " was killed and does not end: it waits for what never answers")),
         kExecSignalBase + SIGKILL);
  }
  return false;
}

bool RunningExec::FailOnTheWay() {
  switch (ending_.reason()) {
    case ExecEnding::Reason::kUnwanted:
      Fail(absl::CancelledError(kUnwanted), kExecSignalBase + ending_.signal());
      break;
    case ExecEnding::Reason::kNotStarted:
      Fail(NoAnswer(*child_));
      break;
    default:
      return false;
  }
  result_.clear_pid();
  return true;
}

void RunningExec::Finish() {
  const absl::StatusOr<int> status = process_->Wait();
  if (absl::IsDeadlineExceeded(status.status()) && ending_.reason() != ExecEnding::Reason::kNone) {
    return Fail(status.status(), kExecSignalBase + SIGKILL);
  }
  if (!status.ok()) return Fail(status.status());
  TakeNews();
  const ExecChild::Outcome outcome = child_->GetOutcome();
  if (outcome.status.ok()) return FinishWith(*status);
  if (FailOnTheWay()) return;
  result_.clear_pid();
  Fail(Explained(*scene_, *prepared_, *child_), ExitStatusOf(outcome.kind));
}

void RunningExec::FinishWith(int status) {
  if (WIFSIGNALED(status)) {
    result_.set_signal(WTERMSIG(status));
    result_.set_exit_status(kExecSignalBase + WTERMSIG(status));
  } else {
    result_.set_exit_status(WEXITSTATUS(status));
  }
  switch (ending_.reason()) {
    case ExecEnding::Reason::kTooLong:
      // Also where it ended well: it was cut short.
      return Fail(absl::DeadlineExceededError(
                      absl::StrCat("ended after ", scene_->settings.timeout, " s, by --timeout")),
                  WIFSIGNALED(status) ? result_.exit_status() : kExecSignalBase + SIGTERM);
    case ExecEnding::Reason::kUnwilling:
      return Fail(absl::CancelledError("killed, since it did not end when it was told to"),
                  result_.exit_status());
    default:
      return;
  }
}

ExecRefusal BecomeExec(const ExecScene& scene, const std::string& target) {
  PreparedExec prepared;
  if (absl::Status status = Prepare(scene, target, &prepared); !status.ok()) return {status};
  sigprocmask(SIG_SETMASK, nullptr, &prepared.spec.signal_mask);
  prepared.spec.direct = NeedsNoLauncher(prepared);
  absl::StatusOr<ExecChild> child = ExecChild::Prepare(std::move(prepared.spec), scene.procfs.fd());
  if (!child.ok()) return {child.status()};
  // Nobody in the namespaces may look into this process.
  prctl(PR_SET_DUMPABLE, 0);
  if (const int error = child->BeforeEntry(); error != 0) {
    return {base::ErrnoStatus(error, "join the target's cgroups")};
  }
  const nsentry::EntryResult entry = nsentry::Enter(*prepared.plan, nsentry::EntryMethod::kAuto);
  if (!entry.ok()) return {ExecEntryStatus(scene.settings, *prepared.plan, entry)};
  (void)child->Become();
  child->TakeNews();
  const ExecChild::Outcome outcome = child->GetOutcome();
  return {Explained(scene, prepared, *child), ExitStatusOf(outcome.kind)};
}

}  // namespace nsctl::cmd
