// A child process in other namespaces: what run_in_namespaces.h and a command's launcher have in
// common.

#ifndef NSCTL_NSENTRY_ENTERED_PROCESS_H_
#define NSCTL_NSENTRY_ENTERED_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "nsentry/enter.h"
#include "nsentry/entry_plan.h"

namespace nsctl::nsentry {

struct StartOptions {
  // For the entry; what the child does afterwards is the caller's to limit.
  absl::Duration timeout = absl::Seconds(10);
  EntryMethod method = EntryMethod::kAuto;
  // Runs in the first child before it enters anything, and returns 0 or an errno, which ends the
  // start. Null: nothing.
  std::function<int()> before_entry = nullptr;
  // What it does, for messages.
  const char* before_entry_name = "prepare the child";
  // Instead of `body`: runs in the first child, which stays outside of a PID namespace, and
  // executes a program. Where the plan enters a PID namespace, that program makes a process inside
  // (CLONE_PARENT) and writes its PID, or minus errno, as an int32_t to the descriptor `answer`,
  // within `timeout`; so nothing of the caller is ever seen inside. What it says is believed only
  // where the kernel shows it: that process is a child of the caller, and nobody's yet. Where it
  // ends without an answer, the first child is what is returned. Elsewhere `answer` is -1, and
  // nobody waits for the program. Null: `body` runs.
  std::function<int(int answer)> execute = nullptr;
  const char* execute_name = "execute a program";
  // Asked again and again while something is waited for: true gives the start up. Null: nobody.
  std::function<bool()> is_cancelled = nullptr;
};

// A child of the calling process, alive or a zombie until it is waited for. Its end kills and reaps
// what was not waited for, and leaves behind what cannot end by that, as it waits for a file system
// that never answers.
class EnteredProcess {
 public:
  // Forks a child that enters the plan's namespaces and runs `body` there; what `body` returns is
  // its exit status. Where the plan enters a PID namespace, the process that runs `body` is a
  // second one, in it from birth, and yet a child of the caller: there is nobody in between.
  //
  // In the child: this process's memory, descriptors and signal mask, one thread; it is not
  // dumpable, so nobody in the namespaces may look into that memory; it is killed when the calling
  // thread ends, unless it changes its credentials. The C library's fork(2) handlers have run, so
  // memory can be allocated; locks that other threads held stay locked.
  //
  // Errors: those of EntryStatus; those of plan.Check(); DEADLINE_EXCEEDED; CANCELLED; ABORTED
  // where a child ended early or what `execute` became makes no sense; those of fork(2).
  static absl::StatusOr<EnteredProcess> Start(const EntryPlan& plan, const StartOptions& options,
                                              absl::FunctionRef<int()> body);

  // As above, and says in `result` how far the entry came, where it was tried.
  static absl::StatusOr<EnteredProcess> Start(const EntryPlan& plan, const StartOptions& options,
                                              absl::FunctionRef<int()> body, EntryResult* result);

  EnteredProcess(EnteredProcess&& other) noexcept;
  EnteredProcess& operator=(EnteredProcess&& other) = delete;
  ~EnteredProcess();

  pid_t pid() const { return pid_; }
  // Becomes readable when the process ends.
  const base::OwnedFd& pidfd() const { return pidfd_; }

  // Waits for its end and returns the status as wait(2) has it. Errors: ECHILD where somebody else
  // has waited for it, or SIGCHLD is ignored; DEADLINE_EXCEEDED where it ended and somebody who
  // traces it keeps the status (ptrace(2)): it is left behind.
  absl::StatusOr<int> Wait();

  // SIGKILL, by pidfd. Nothing where it was waited for.
  void Kill();

  // Nobody waits for it any more: it was killed and cannot end.
  void LeaveBehind() { pid_ = 0; }

 private:
  // ABORTED where `pid` is no child of this process, or somebody's already.
  static absl::StatusOr<EnteredProcess> OfChild(pid_t pid);

  EnteredProcess(pid_t pid, base::OwnedFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  // 0 once it was waited for.
  pid_t pid_;
  base::OwnedFd pidfd_;
};

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_ENTERED_PROCESS_H_
