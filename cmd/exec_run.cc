#include "cmd/exec_run.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/text.h"
#include "nsentry/enter.h"
#include "nsentry/entry_message.h"

namespace nsctl::cmd {
namespace {

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

}  // namespace

ExecResult BeginResult(const ExecSettings& settings, const std::string& target) {
  ExecResult result;
  // A TARGET is stored text by its grammar; what is no such text is taken as it is.
  result.set_target(base::EncodeText(base::DecodeText(target).value_or(target)));
  for (const std::string& word : settings.command) result.add_command(base::EncodeText(word));
  return result;
}

RunningExec RunningExec::Start(const ExecScene& scene, const std::string& target,
                               const SignalSource& signals, Streams streams) {
  RunningExec run;
  run.result_ = BeginResult(scene.settings, target);
  run.prepared_ = std::make_unique<PreparedExec>();
  PreparedExec& prepared = *run.prepared_;
  if (const absl::Status status = Prepare(scene, target, &prepared); !status.ok()) {
    if (prepared.plan != nullptr) AddOutcomes(*prepared.plan, {}, &run.result_);
    run.Fail(status);
    return run;
  }
  prepared.spec.terminal = std::move(streams.terminal);
  std::copy(std::begin(streams.standard), std::end(streams.standard), prepared.spec.standard);
  prepared.spec.signal_mask = signals.mask_before();
  absl::StatusOr<ExecChild> child = ExecChild::Prepare(std::move(prepared.spec), scene.procfs.fd());
  if (!child.ok()) {
    run.Fail(child.status());
    return run;
  }
  run.child_ = std::make_unique<ExecChild>(*std::move(child));
  nsentry::StartOptions options;
  options.before_entry = [&] { return run.child_->BeforeEntry(); };
  options.before_entry_name = "join the target's cgroups";
  options.execute = [&](int answer, bool sibling) { return run.child_->Run(answer, sibling); };
  nsentry::EntryResult entry;
  absl::StatusOr<nsentry::EnteredProcess> process = nsentry::EnteredProcess::Start(
      *prepared.plan, options, [] { return kExecFailed; }, &entry);
  run.child_->ReleaseInParent();
  AddOutcomes(*prepared.plan, entry, &run.result_);
  if (!process.ok()) {
    run.Fail(entry.ok() ? process.status()
                        : ExecEntryStatus(scene.settings, *prepared.plan, entry));
    return run;
  }
  run.process_ = std::make_unique<nsentry::EnteredProcess>(*std::move(process));
  run.result_.set_pid(run.process_->pid());
  return run;
}

void RunningExec::Fail(const absl::Status& status, int exit_status) {
  failure_ = status;
  result_.set_error(std::string(status.message()));
  result_.set_exit_status(exit_status);
}

void RunningExec::Finish(int status) {
  const ExecChild::Outcome outcome = child_->TakeOutcome();
  if (!outcome.status.ok()) {
    result_.clear_pid();
    return Fail(outcome.status, ExitStatusOf(outcome.kind));
  }
  if (WIFSIGNALED(status)) {
    result_.set_signal(WTERMSIG(status));
    result_.set_exit_status(kExecSignalBase + WTERMSIG(status));
  } else {
    result_.set_exit_status(WEXITSTATUS(status));
  }
}

ExecRefusal BecomeExec(const ExecScene& scene, const std::string& target) {
  PreparedExec prepared;
  if (absl::Status status = Prepare(scene, target, &prepared); !status.ok()) return {status};
  sigprocmask(SIG_SETMASK, nullptr, &prepared.spec.signal_mask);
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
  const ExecChild::Outcome outcome = child->TakeOutcome();
  return {outcome.status, ExitStatusOf(outcome.kind)};
}

}  // namespace nsctl::cmd
