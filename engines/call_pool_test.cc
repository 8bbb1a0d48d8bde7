#include "engines/call_pool.h"

#include <algorithm>
#include <atomic>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::engines {
namespace {

TEST(CallPool, RunsAllCallsAndNoMoreThanAllowedAtATime) {
  std::atomic<int> done = 0;
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  {
    CallPool pool(3);
    for (int i = 0; i < 100; ++i) {
      pool.Run([&] {
        const int running = ++now;
        int seen = most;
        while (running > seen && !most.compare_exchange_weak(seen, running)) {
        }
        absl::SleepFor(absl::Microseconds(100));
        --now;
        ++done;
      });
    }
  }

  EXPECT_EQ(done, 100);
  EXPECT_LE(most, 3);
}

TEST(CallPool, RunsCallsBesideOneThatHangs) {
  absl::Notification go_on;
  CallPool pool(2);
  pool.Run([&go_on] { go_on.WaitForNotification(); });
  absl::BlockingCounter others(20);
  for (int i = 0; i < 20; ++i) pool.Run([&others] { others.DecrementCount(); });

  others.Wait();
  go_on.Notify();
}

TEST(CallPool, KeepsNoThreadWithoutWork) {
  CallPool pool(4);
  std::atomic<int> done = 0;
  // Each time some have ended.
  for (int i = 0; i < 200; ++i) {
    pool.Run([&done] { ++done; });
    while (i % 10 == 0 && done <= i) absl::SleepFor(absl::Microseconds(10));
  }
  while (done < 200) absl::SleepFor(absl::Microseconds(10));
  SUCCEED();
}

TEST(CallPool, MayBeAskedByItsOwnCalls) {
  std::atomic<int> done = 0;
  absl::Notification finished;
  CallPool pool(1);
  pool.Run([&] {
    ++done;
    pool.Run([&] {
      ++done;
      finished.Notify();
    });
  });

  finished.WaitForNotification();
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace nsctl::engines
