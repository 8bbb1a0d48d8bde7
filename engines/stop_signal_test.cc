#include "engines/stop_signal.h"

#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    one = base::OwnedFd(ends[0]);
    other = base::OwnedFd(ends[1]);
  }
  base::OwnedFd one, other;
};

TEST(AwaitReady, ReturnsWhenThereIsSomething) {
  const Pair pair;
  ASSERT_THAT(base::WriteAll(pair.other, "x"), IsOk());

  EXPECT_THAT(AwaitReady(pair.one, POLLIN, absl::Now() + kLong, nullptr), IsOk());
  // Even if it is late.
  EXPECT_THAT(AwaitReady(pair.one, POLLIN, absl::InfinitePast(), nullptr), IsOk());
}

TEST(AwaitReady, ReturnsWhenTheOtherEndIsGone) {
  Pair pair;
  pair.other = base::OwnedFd();

  EXPECT_THAT(AwaitReady(pair.one, POLLIN, absl::InfiniteFuture(), nullptr), IsOk());
}

TEST(AwaitReady, EndsAtItsDeadline) {
  const Pair pair;
  const absl::Time start = absl::Now();

  EXPECT_THAT(AwaitReady(pair.one, POLLIN, start + absl::Milliseconds(5), nullptr),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(5));
}

TEST(AwaitReady, EndsWhenStopped) {
  const Pair pair;
  StopSignal stop;
  std::thread stopper([&stop] { stop.Request(); });

  EXPECT_THAT(AwaitReady(pair.one, POLLIN, absl::InfiniteFuture(), &stop),
              StatusIs(absl::StatusCode::kCancelled));
  stopper.join();
  stop.Request();
  EXPECT_TRUE(stop.requested());
}

TEST(AwaitTime, EndsAtTheTimeOrWhenStopped) {
  StopSignal stop;
  const absl::Time time = absl::Now() + absl::Milliseconds(5);
  AwaitTime(time, stop);
  EXPECT_GE(absl::Now(), time);

  stop.Request();
  const absl::Time start = absl::Now();
  AwaitTime(absl::InfiniteFuture(), stop);
  EXPECT_LT(absl::Now() - start, kLong);
}

}  // namespace
}  // namespace nsctl::engines
