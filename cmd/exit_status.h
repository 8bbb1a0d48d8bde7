// What the nsctl binary tells the shell.

#ifndef NSCTL_CMD_EXIT_STATUS_H_
#define NSCTL_CMD_EXIT_STATUS_H_

namespace nsctl::cmd {

enum class ExitStatus {
  kDone = 0,
  kFailed = 1,
  // diff, as diff(1): there are differences.
  kDifferent = 1,
  kUsage = 2,
  // diff: it failed, whatever the reason.
  kTrouble = 2,
  // --strict was given and the result has gaps.
  kGaps = 3,
  // The kernel lacks what the command needs.
  kUnsupported = 4,
  // The reader of stdout is gone and SIGPIPE is ignored: what a shell reports for SIGPIPE.
  kReaderGone = 141,
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXIT_STATUS_H_
