#include "cmd/exec_ending.h"

#include <signal.h>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using Action = ExecEnding::Action;
using Reason = ExecEnding::Reason;

constexpr absl::Time kBegin = absl::UnixEpoch();
constexpr absl::Duration kMoment = absl::Milliseconds(1);

bool Never() { return false; }
bool Always() { return true; }

TEST(ExecEnding, LeavesACommandAloneThatRuns) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());
  ending.Runs();

  EXPECT_EQ(ending.Next(kBegin + absl::Hours(1000), Always), Action::kNone);
  EXPECT_EQ(ending.NextTime(), absl::InfiniteFuture());
  EXPECT_EQ(ending.reason(), Reason::kNone);
}

TEST(ExecEnding, KillsWhatIsNotExecutedInTime) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());
  const absl::Time late = kBegin + ExecEnding::kStartLimit;

  EXPECT_EQ(ending.NextTime(), late);
  EXPECT_EQ(ending.Next(late - kMoment, Never), Action::kNone);
  EXPECT_EQ(ending.Next(late, Never), Action::kKill);
  EXPECT_EQ(ending.reason(), Reason::kNotStarted);
}

TEST(ExecEnding, KillsWhatIsUnwantedBeforeItRuns) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());

  ending.Requested(SIGTERM, kBegin);

  EXPECT_EQ(ending.Next(kBegin, Never), Action::kKill);
  EXPECT_EQ(ending.reason(), Reason::kUnwanted);
  EXPECT_EQ(ending.signal(), SIGTERM);
}

TEST(ExecEnding, TheSecondRequestIsAnOrder) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());
  ending.Runs();

  ending.Requested(SIGINT, kBegin);
  ending.Requested(SIGINT, kBegin + kMoment);
  EXPECT_EQ(ending.Next(kBegin + kMoment, Never), Action::kNone);
  ending.Requested(SIGTERM, kBegin + ExecEnding::kRepeat);

  EXPECT_EQ(ending.Next(kBegin + ExecEnding::kRepeat, Never), Action::kKill);
  EXPECT_EQ(ending.reason(), Reason::kUnwilling);
  EXPECT_EQ(ending.signal(), SIGINT);
}

TEST(ExecEnding, ARequestIsAnOrderToOneThatIsHeld) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());
  ending.Runs();
  ending.Requested(SIGTERM, kBegin);
  const absl::Time then = kBegin + ExecEnding::kGrace;

  EXPECT_EQ(ending.NextTime(), then);
  EXPECT_EQ(ending.Next(then - kMoment, Always), Action::kNone);
  // One that takes its time to end is given it.
  EXPECT_EQ(ending.Next(then, Never), Action::kNone);
  EXPECT_EQ(ending.NextTime(), then + ExecEnding::kGrace);
  EXPECT_EQ(ending.Next(then + ExecEnding::kGrace, Always), Action::kKill);
  EXPECT_EQ(ending.reason(), Reason::kUnwilling);
}

TEST(ExecEnding, EndsWhatRunsTooLongInTwoSteps) {
  ExecEnding ending(kBegin, absl::Seconds(3));
  ending.Runs();
  const absl::Time late = kBegin + absl::Seconds(3);

  EXPECT_EQ(ending.NextTime(), late);
  EXPECT_EQ(ending.Next(late - kMoment, Never), Action::kNone);
  EXPECT_EQ(ending.Next(late, Never), Action::kTerminate);
  EXPECT_EQ(ending.Next(late, Never), Action::kNone);
  EXPECT_EQ(ending.NextTime(), late + ExecEnding::kGrace);
  EXPECT_EQ(ending.Next(late + ExecEnding::kGrace, Never), Action::kKill);
  EXPECT_EQ(ending.reason(), Reason::kTooLong);
}

TEST(ExecEnding, GivesUpWhatDoesNotEvenEndThen) {
  ExecEnding ending(kBegin, absl::InfiniteDuration());
  ending.Requested(SIGTERM, kBegin);
  EXPECT_EQ(ending.Next(kBegin, Never), Action::kKill);

  EXPECT_EQ(ending.NextTime(), kBegin + ExecEnding::kGrace);
  EXPECT_EQ(ending.Next(kBegin + ExecEnding::kGrace - kMoment, Never), Action::kNone);
  EXPECT_EQ(ending.Next(kBegin + ExecEnding::kGrace, Never), Action::kGiveUp);
}

}  // namespace
}  // namespace nsctl::cmd
