// When a command is ended by force, since it does not end, or never begins, by itself.
//
// Whoever owns the namespaces can hold what runs there: stop it, trace it, or make it wait for a
// file system of his. So nsctl waits for nothing without an end.

#ifndef NSCTL_CMD_EXEC_ENDING_H_
#define NSCTL_CMD_EXEC_ENDING_H_

#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace nsctl::cmd {

class ExecEnding {
 public:
  enum class Action {
    kNone,
    // SIGTERM, and SIGCONT so that it is seen.
    kTerminate,
    kKill,
    // What was killed does not end.
    kGiveUp,
  };
  enum class Reason {
    // The command ended by itself, or as it was told to.
    kNone,
    // It was not executed in time.
    kNotStarted,
    // It was told to end before it was executed.
    kUnwanted,
    // It ran too long.
    kTooLong,
    // It was told to end, and did not.
    kUnwilling,
  };

  // `limit` is how long the command may run: InfiniteDuration() for ever.
  ExecEnding(absl::Time now, absl::Duration limit)
      : start_deadline_(now + kStartLimit), end_deadline_(now + limit) {}

  // The command was executed.
  void Runs() { runs_ = true; }
  bool runs() const { return runs_; }

  // It was sent SIGINT, SIGTERM or the like by somebody who wants its end. Once is a request; what
  // follows closely belongs to it (timeout(1) sends everything twice); once more is an order.
  void Requested(int signal, absl::Time now);

  // What is to be done now. `is_held` tells whether it is stopped or traced: then a request has no
  // effect, and becomes an order after a while.
  Action Next(absl::Time now, absl::FunctionRef<bool()> is_held);

  // When to ask again.
  absl::Time NextTime() const;

  Reason reason() const { return reason_; }
  // That it was first told to end by; 0 where it was not.
  int signal() const { return signal_; }

  static constexpr absl::Duration kStartLimit = absl::Seconds(10);
  static constexpr absl::Duration kRepeat = absl::Milliseconds(100);
  // From a request to an order, for one that is held; from SIGTERM to SIGKILL, for one that ran too
  // long; from SIGKILL to giving up.
  static constexpr absl::Duration kGrace = absl::Seconds(2);

 private:
  Action Kill(absl::Time now, Reason reason);

  absl::Time start_deadline_;
  absl::Time end_deadline_;
  bool runs_ = false;
  int signal_ = 0;
  std::optional<absl::Time> requested_;
  bool ordered_ = false;
  // When it is looked whether it is held.
  absl::Time look_ = absl::InfiniteFuture();
  std::optional<absl::Time> terminated_;
  std::optional<absl::Time> killed_;
  Reason reason_ = Reason::kNone;
};

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_ENDING_H_
