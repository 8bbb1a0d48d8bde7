#include "engines/backoff.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

TEST(BackoffAfter, GrowsToItsLimitAndSpreads) {
  const auto backoff = [](int failures, double random) {
    return BackoffAfter(failures, random, absl::Milliseconds(200), absl::Seconds(30));
  };

  EXPECT_EQ(backoff(0, 0), absl::Milliseconds(100));
  EXPECT_EQ(backoff(0, 1), absl::Milliseconds(200));
  EXPECT_EQ(backoff(3, 1), absl::Milliseconds(1600));
  EXPECT_EQ(backoff(20, 0), absl::Seconds(15));
  EXPECT_EQ(backoff(2'000'000'000, 1), absl::Seconds(30));
}

}  // namespace
}  // namespace nsctl::engines
