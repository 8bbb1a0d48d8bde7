// Data guarded by Abseil's synchronization is no race, and a race is one. Says
// something under --config=tsan; elsewhere it merely runs.

#include <thread>
#include <vector>

#include "absl/base/config.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace nsctl {
namespace {

constexpr int kRounds = 1000;

TEST(TsanAbslSyncTest, MutexGuards) {
  absl::Mutex mutex;
  int guarded = 0;

  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        absl::MutexLock lock(&mutex);
        ++guarded;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(guarded, 4 * kRounds);
}

TEST(TsanAbslSyncTest, ReadersAndWritersAreOrdered) {
  absl::Mutex mutex;
  int guarded = 0;
  int64_t sum = 0;

  std::thread writer([&] {
    for (int round = 0; round < kRounds; ++round) {
      absl::WriterMutexLock lock(&mutex);
      ++guarded;
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    absl::ReaderMutexLock lock(&mutex);
    sum += guarded;
  }
  writer.join();

  EXPECT_GE(sum, 0);
}

TEST(TsanAbslSyncTest, AwaitedConditionGuards) {
  absl::Mutex mutex;
  int turn = 0;
  const auto play = [&](int parity) {
    const auto mine = [&turn, parity] { return turn % 2 == parity; };
    for (int round = 0; round < kRounds; ++round) {
      absl::MutexLock lock(&mutex, absl::Condition(&mine));
      ++turn;
      if (parity == 0) {
        mutex.AwaitWithTimeout(absl::Condition(&mine), absl::Seconds(10));
      }
    }
  };

  std::thread odd([&] { play(1); });
  play(0);
  odd.join();

  EXPECT_EQ(turn, 2 * kRounds);
}

TEST(TsanAbslSyncTest, CondVarGuards) {
  absl::Mutex mutex;
  absl::CondVar changed;
  int produced = 0;

  std::thread producer([&] {
    for (int round = 0; round < kRounds; ++round) {
      absl::MutexLock lock(&mutex);
      ++produced;
      changed.Signal();
    }
  });
  {
    absl::MutexLock lock(&mutex);
    while (produced < kRounds) {
      changed.WaitWithTimeout(&mutex, absl::Seconds(10));
    }
  }
  producer.join();

  EXPECT_EQ(produced, kRounds);
}

TEST(TsanAbslSyncTest, NotificationPublishes) {
  for (int round = 0; round < 100; ++round) {
    absl::Notification waited_for;
    absl::Notification polled;
    int first = 0;
    int second = 0;

    std::thread publisher([&] {
      first = 1;
      waited_for.Notify();
      second = 2;
      polled.Notify();
    });
    waited_for.WaitForNotification();
    EXPECT_EQ(first, 1);
    while (!polled.HasBeenNotified()) std::this_thread::yield();
    EXPECT_EQ(second, 2);
    publisher.join();
  }
}

TEST(TsanAbslSyncTest, CountersAndBarriersPublish) {
  absl::BlockingCounter done(2);
  auto* barrier = new absl::Barrier(2);
  int values[2] = {0, 0};
  const auto work = [&](int self) {
    values[self] = 1;
    const bool last = barrier->Block();
    EXPECT_EQ(values[1 - self], 1);
    if (last) delete barrier;
    done.DecrementCount();
  };

  std::thread a([&] { work(0); });
  std::thread b([&] { work(1); });
  done.Wait();
  EXPECT_EQ(values[0] + values[1], 2);
  a.join();
  b.join();
}

#ifdef ABSL_HAVE_THREAD_SANITIZER
TEST(TsanAbslSyncDeathTest, RaceIsFound) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto race = [] {
    int unguarded = 0;
    absl::Mutex mutex;
    std::thread other([&] {
      absl::MutexLock lock(&mutex);
      ++unguarded;
    });
    ++unguarded;
    other.join();
  };

  EXPECT_DEATH(
      {
        for (int i = 0; i < kRounds; ++i) race();
      },
      "data race");
}
#endif

}  // namespace
}  // namespace nsctl
