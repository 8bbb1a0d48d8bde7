// Runs what may never end in a process that can be left behind.
//
// A thread that waits for a FUSE or network server that took its request and says nothing cannot be
// killed, and no process ends before its threads. A command that gave up on such a thread would
// have said so, and still not come back to the shell.

#ifndef NSCTL_CMD_RUN_APART_H_
#define NSCTL_CMD_RUN_APART_H_

#include <atomic>
#include <set>

#include "absl/functional/function_ref.h"
#include "cmd/held_processes.h"

namespace nsctl::cmd {

// What `body` knows of its run.
struct ApartRun {
  // Of these nothing may be read: who tries waits, perhaps for ever.
  const std::set<HeldProcess>& held;
  // To be set before anything is answered or changed: from then on it is not run again.
  std::atomic<bool>* is_final;
};

// Runs `body` in a child process and returns its result, 0 to 255, as soon as `body` is done, even
// if the child cannot end; standard input, output and error, and then all that it inherited, are
// closed in the child, so that whoever reads them goes on. Where a signal ends the child, it ends
// this process in the same way. SIGINT, SIGQUIT, SIGTERM and SIGHUP are handed to the child, and
// end this process where that does not end within two seconds; when this process ends, the child
// gets SIGTERM. Where no child can be made, `body` runs here.
//
// Where for a second a thread of the child has been waiting for a file of a process that is held,
// the child is killed, all processes that are held are looked for, and `body` runs again in another
// child that knows of them; a few times at most. Where it must not run again, that is said on
// standard error after some seconds; where it is the first thread that waits, 1 is returned then.
//
// To be called from a process without other threads, which does nothing else afterwards.
int RunApart(absl::FunctionRef<int(const ApartRun&)> body);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_RUN_APART_H_
