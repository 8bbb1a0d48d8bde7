#include "cmd/exec_ending.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace nsctl::cmd {

void ExecEnding::Requested(int signal, absl::Time now) {
  if (!requested_.has_value()) {
    requested_ = now;
    look_ = now + kGrace;
    signal_ = signal;
  } else if (now - *requested_ >= kRepeat) {
    ordered_ = true;
  }
}

ExecEnding::Action ExecEnding::Kill(absl::Time now, Reason reason) {
  killed_ = now;
  if (reason_ == Reason::kNone) reason_ = reason;
  return Action::kKill;
}

ExecEnding::Action ExecEnding::Next(absl::Time now, absl::FunctionRef<bool()> is_held) {
  if (killed_.has_value()) return now >= *killed_ + kGrace ? Action::kGiveUp : Action::kNone;
  if (!runs_ && requested_.has_value()) return Kill(now, Reason::kUnwanted);
  if (!runs_ && now >= start_deadline_) return Kill(now, Reason::kNotStarted);
  if (ordered_) return Kill(now, Reason::kUnwilling);
  if (terminated_.has_value() && now >= *terminated_ + kGrace) return Kill(now, Reason::kTooLong);
  if (!terminated_.has_value() && now >= end_deadline_) {
    terminated_ = now;
    reason_ = Reason::kTooLong;
    return Action::kTerminate;
  }
  if (now >= look_) {
    if (is_held()) return Kill(now, Reason::kUnwilling);
    look_ = now + kGrace;
  }
  return Action::kNone;
}

absl::Time ExecEnding::NextTime() const {
  if (killed_.has_value()) return *killed_ + kGrace;
  const absl::Time next = terminated_.has_value() ? *terminated_ + kGrace : end_deadline_;
  return std::min({next, look_, runs_ ? absl::InfiniteFuture() : start_deadline_});
}

}  // namespace nsctl::cmd
