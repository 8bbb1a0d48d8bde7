#include "base/poll_timeout.h"

#include <climits>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

TEST(PollTimeout, IsRoundedUp) {
  EXPECT_EQ(PollTimeout(absl::Milliseconds(300)), 300);
  EXPECT_EQ(PollTimeout(absl::Microseconds(299'001)), 300);
  EXPECT_EQ(PollTimeout(absl::Nanoseconds(1)), 1);
}

TEST(PollTimeout, HasBounds) {
  EXPECT_EQ(PollTimeout(absl::ZeroDuration()), 0);
  EXPECT_EQ(PollTimeout(-absl::Seconds(5)), 0);
  EXPECT_EQ(PollTimeout(-absl::InfiniteDuration()), 0);
  EXPECT_EQ(PollTimeout(absl::Hours(24 * 365)), INT_MAX);
  EXPECT_EQ(PollTimeout(absl::InfiniteDuration()), -1);
}

TEST(PollTimeout, EndsNotBeforeADeadline) {
  const absl::Time deadline = absl::Now() + absl::Seconds(100);

  const int timeout = PollTimeout(deadline);

  EXPECT_GE(absl::Now() + absl::Milliseconds(timeout), deadline);
  EXPECT_LE(timeout, 100'000);
  EXPECT_EQ(PollTimeout(absl::InfiniteFuture()), -1);
  EXPECT_EQ(PollTimeout(absl::InfinitePast()), 0);
}

}  // namespace
}  // namespace nsctl::base
