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
#include "nsentry/entered_process.h"

namespace nsctl::cmd {

struct ExecChildSpec {
  // Not empty; the first is looked for in the PATH of `environment` where it has no slash.
  std::vector<std::string> command;
  // What the command is told as its name; empty: its first word.
  std::string name = "";
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
  // becomes a child of its own.
  int Run(int answer, bool sibling);

  // As Run, in the calling process in any case.
  int Become();

  // After the start: closes what only the child needs.
  void ReleaseInParent();

  // What Run met, in the parent once the child has ended or executed; OK where the command runs.
  // The kind decides the exit status.
  struct Outcome {
    absl::Status status;
    ExecFailure::Kind kind = ExecFailure::Kind::kOwn;
  };
  Outcome TakeOutcome();

 private:
  ExecChild() = default;

  // `answer` and `mode` are the launcher's.
  int BecomeCommand(const std::string& answer, const std::string& mode);
  // Each returns what failed, errno beside it, or nullptr.
  const char* MoveToRoot() const;
  const char* TakeStandardDescriptors() const;
  const char* SetSecurityContext() const;
  // Returns only where it fails.
  int Execute(const std::string& path, const std::string& answer, const std::string& mode);
  int Fail(ExecFailure::Kind kind, const char* step, int error) const;

  ExecChildSpec spec_;
  base::OwnedFd launcher_;
  base::OwnedFd procfs_;
  base::OwnedFd report_read_;
  base::OwnedFd report_write_;
  // Where the launcher answers, -1 where it does not.
  int answer_ = -1;
  bool groups_dropped_ = false;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_CHILD_H_
