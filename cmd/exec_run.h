// One command in one target's namespaces, from preparation to its end.

#ifndef NSCTL_CMD_EXEC_RUN_H_
#define NSCTL_CMD_EXEC_RUN_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "cmd/exec.pb.h"
#include "cmd/exec_child.h"
#include "cmd/exec_ending.h"
#include "cmd/exec_prepare.h"
#include "cmd/exec_signals.h"
#include "nsentry/entered_process.h"

namespace nsctl::cmd {

// Exit statuses of `nsctl exec` besides those of commands.
inline constexpr int kExecFailed = 125;
inline constexpr int kExecNotExecutable = 126;
inline constexpr int kExecNotFound = 127;
inline constexpr int kExecSignalBase = 128;

// A command that was started, or was not.
class RunningExec {
 public:
  // Prepares and starts; what fails is in result() at once. `standard` are the command's standard
  // descriptors (see ExecChildSpec), `terminal` becomes its terminal.
  struct Streams {
    int standard[3] = {-1, -1, -1};
    base::OwnedFd terminal = {};
  };
  static RunningExec Start(const ExecScene& scene, const std::string& target,
                           const SignalSource& signals, Streams streams);

  // Null where it did not start.
  nsentry::EnteredProcess* process() { return process_.get(); }

  // Readable when TakeNews is to be called at once; holds nothing where it is not. What nobody
  // waits for is taken when it is asked for, so that nsctl does not wake up while the command
  // starts.
  base::FdRef news() const;
  void TakeNews();

  // Passes a signal on. Where `reaches_it` the command has got it already, as it is among the
  // processes of the terminal that nsctl got it from.
  void Pass(const SignalSource::Signal& signal, const SignalSource& signals, bool reaches_it);

  // When Tend is to be called at the latest.
  absl::Time NextTime() const { return ending_.NextTime(); }
  // Ends the command by force where that is due. False where not even that helps: then it is left
  // behind, and there is a result.
  bool Tend();

  // Takes the result of what has ended.
  void Finish();
  // It could not be watched.
  void Fail(const absl::Status& status, int exit_status = kExecFailed);

  ExecResult& result() { return result_; }

  // UsageError among others; OK where the command started and was not ended by nsctl.
  const absl::Status& failure() const { return failure_; }

 private:
  RunningExec(const ExecScene& scene, absl::Time now)
      : scene_(&scene), ending_(now, scene.settings.TimeLimit()) {}

  absl::Status StartProcess(const SignalSource& signals);
  // Stopped, or held by somebody who traces it.
  bool IsHeld() const;
  void FinishWith(int status);
  // True where nsctl ended it before the command was executed.
  bool FailOnTheWay();
  // To the user, and into the result.
  void Warn(const std::string& text);

  const ExecScene* scene_;
  ExecEnding ending_;
  ExecResult result_;
  absl::Status failure_;
  std::unique_ptr<PreparedExec> prepared_;
  std::unique_ptr<ExecChild> child_;
  std::unique_ptr<nsentry::EnteredProcess> process_;
};

// The result that says what was asked for: target and command.
ExecResult BeginResult(const ExecSettings& settings, const std::string& target);

// Also where it is a shell that nobody named.
void TellCommand(const ExecChildSpec& spec, ExecResult* result);

// Becomes the command; returns only where that fails, with what is complained of and the exit
// status.
struct ExecRefusal {
  absl::Status status;
  int exit_status = kExecFailed;
};
ExecRefusal BecomeExec(const ExecScene& scene, const std::string& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_RUN_H_
