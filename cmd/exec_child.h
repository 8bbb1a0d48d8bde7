// From the namespaces that were entered to the command: what the child of `nsctl exec` does there.
//
// Everything is prepared and opened before the fork. Afterwards nothing is loaded, looked up by
// name or read of the other side but the command itself.

#ifndef NSCTL_CMD_EXEC_CHILD_H_
#define NSCTL_CMD_EXEC_CHILD_H_

#include <signal.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"
#include "cmd/exec_credentials.h"
#include "cmd/exec_progress.h"
#include "nsentry/entered_process.h"

namespace nsctl::cmd {

struct ExecChildSpec {
  // Not empty; the first is looked for in the PATH of `environment` where it has no slash.
  std::vector<std::string> command;
  // The command is told the name of a login shell: "-sh" for /bin/sh.
  bool login_shell = false;
  // Tried where `command` is not there.
  std::string fallback = "";
  std::vector<std::string> environment;

  // The terminal that becomes the controlling one, and stdin, stdout and stderr.
  base::OwnedFd terminal = {};
  // What becomes stdin, stdout and stderr; -1 leaves them. Borrowed.
  int standard[3] = {-1, -1, -1};

  // The new root, and current directory: opened before. Where there is a root and no directory, the
  // current one stays.
  base::OwnedFd root = {};
  base::OwnedFd directory = {};
  // A path inside.
  std::string inner_directory = "";

  // cgroup.procs files of the cgroups to move to.
  std::vector<base::OwnedFd> cgroups = {};
  // What to write to which file of attr/: the security context of the command.
  std::string security_file = "";
  std::string security_context = "";

  Credentials credentials = {};
  // Neither the command's file nor whoever looks at its process is of the other side: it needs no
  // launcher between.
  bool direct = false;
  // The signals that are to be blocked in the command.
  sigset_t signal_mask = {};
};

// How the way to the command ended, where it did not reach it. Plain data: it passes through a
// pipe.
struct ExecFailure {
  enum class Kind : int32_t { kOwn, kNotExecutable, kNotFound };
  Kind kind = Kind::kOwn;
  int32_t error = 0;
  char step[48] = {};
};

class ExecChild {
 public:
  // `procfs` shows the caller. Errors: those of MakeLauncher; those of pipe2(2).
  static absl::StatusOr<ExecChild> Prepare(ExecChildSpec spec, base::FdRef procfs);

  // In the first child, before it enters: 0 or an errno.
  int BeforeEntry();

  // For StartOptions::execute: in the child, in the namespaces. Becomes the command; returns, an
  // exit status, only where that failed. In the first process of a PID namespace the command
  // becomes a child of its own. `answer` is -1 where nobody waits for one.
  int Run(int answer);

  // As Run, in the calling process in any case.
  int Become();

  // After the start: closes what only the child needs.
  void ReleaseInParent();

  // Readable when there is news from the child; holds nothing once there will be none: the command
  // was executed, or everybody on the way to it has ended.
  const base::OwnedFd& news() const { return report_read_; }
  const Credentials& credentials() const { return spec_.credentials; }
  // Takes what is there without waiting.
  void TakeNews();

  // What Run met, by what was taken. OK where the command was executed.
  // The kind decides the exit status.
  struct Outcome {
    absl::Status status;
    ExecFailure::Kind kind = ExecFailure::Kind::kOwn;
    // Which of the child's steps failed, where it was one.
    std::string step = "";
  };
  Outcome GetOutcome() const;

  // What the child is at, for people: "open the working directory "/x"".
  std::string Step() const;
  // The command has supplementary groups that it was not to have.
  bool groups_stay() const { return progress_.groups_stay(); }
  // It is past the entry.
  bool HasStep() const { return progress_.step() != nullptr; }

 private:
  ExecChild() = default;

  int BecomeCommand();
  // Each is false where it failed, with the step and errno left behind.
  bool MoveToRoot() const;
  bool TakeStandardDescriptors() const;
  bool SetSecurityContext() const;
  // Each returns only where it fails.
  int Execute(const std::string& path);
  int ExecuteDirectly(std::vector<std::string> arguments, const std::string& path);
  int Fail(ExecFailure::Kind kind, const char* step, int error) const;

  ExecChildSpec spec_;
  // Holds nothing where none is needed.
  base::OwnedFd launcher_;
  base::OwnedFd procfs_;
  base::OwnedFd report_read_;
  base::OwnedFd report_write_;
  // All that was read of it.
  std::string news_;
  SharedProgress progress_;
  // Where the launcher answers, -1 where it does not.
  int answer_ = -1;
  bool in_place_ = false;
  bool groups_dropped_ = false;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_CHILD_H_
