#include "base/worker_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

using ::testing::Each;
using ::testing::Eq;

TEST(ParallelFor, VisitsEachElementOnceInPiecesOfTheSizeAsked) {
  struct Case {
    const char* name;
    size_t size;
    size_t chunk;
    int threads;
  };
  const Case cases[] = {
      {"nothing", 0, 4, 4},
      {"one element", 1, 4, 4},
      {"one piece", 4, 4, 4},
      {"cut last piece", 10, 4, 3},
      {"single thread", 100, 7, 1},
      {"more threads than pieces", 3, 1, 8},
      {"many", 10000, 3, 8},
      {"chunk 0 means 1", 5, 0, 2},
      {"no threads means one", 5, 2, 0},
      {"negative threads", 5, 2, -3},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<std::atomic<int>> visits(c.size);
    std::atomic<size_t> largest{0};
    std::atomic<int> highest_worker{0};

    ParallelFor(c.size, c.chunk, c.threads, [&](size_t begin, size_t end, int worker) {
      for (size_t i = begin; i < end; ++i) ++visits[i];
      size_t size = largest;
      while (size < end - begin && !largest.compare_exchange_weak(size, end - begin)) {
      }
      int known = highest_worker;
      while (known < worker && !highest_worker.compare_exchange_weak(known, worker)) {
      }
    });

    EXPECT_THAT(std::vector<int>(visits.begin(), visits.end()), Each(Eq(1)));
    EXPECT_LE(largest, std::max(c.chunk, size_t{1}));
    EXPECT_LT(highest_worker, std::max(c.threads, 1));
  }
}

TEST(ParallelFor, GivesEachWorkerItsOwnState) {
  constexpr int kThreads = 4;
  constexpr size_t kSize = 100000;
  // Not atomic: ThreadSanitizer sees calls that overlap, and a result read too early.
  std::vector<size_t> sums(kThreads, 0);

  ParallelFor(kSize, 10, kThreads, [&](size_t begin, size_t end, int worker) {
    for (size_t i = begin; i < end; ++i) sums[static_cast<size_t>(worker)] += i;
  });

  size_t total = 0;
  for (const size_t sum : sums) total += sum;
  EXPECT_EQ(total, kSize * (kSize - 1) / 2);
}

TEST(ParallelFor, UsesTheCallersThread) {
  const pthread_t caller = pthread_self();
  bool same = false;

  ParallelFor(1, 1, 8, [&](size_t, size_t, int worker) {
    same = worker == 0 && pthread_equal(pthread_self(), caller);
  });

  EXPECT_TRUE(same);
}

// Makes every creation of a thread fail as RLIMIT_NPROC does, with EAGAIN: no address space has
// room for the stack.
class ThreadsCannotBeCreated {
 public:
  ThreadsCannotBeCreated() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 62);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~ThreadsCannotBeCreated() {
    pthread_setattr_default_np(&usual_);
    pthread_attr_destroy(&usual_);
  }
  ThreadsCannotBeCreated(const ThreadsCannotBeCreated&) = delete;
  ThreadsCannotBeCreated& operator=(const ThreadsCannotBeCreated&) = delete;

 private:
  pthread_attr_t usual_;
};

TEST(ParallelFor, DoesAllTheWorkWhereThreadsCannotBeCreated) {
  const ThreadsCannotBeCreated no_threads;
  std::vector<int> workers;

  ParallelFor(100, 10, 4, [&](size_t, size_t, int worker) { workers.push_back(worker); });

  EXPECT_EQ(workers, std::vector<int>(10, 0));
}

TEST(DefaultThreadCount, FollowsTheCpusAllowed) {
  cpu_set_t usual;
  ASSERT_EQ(sched_getaffinity(0, sizeof(usual), &usual), 0);
  EXPECT_EQ(DefaultThreadCount(), std::min(CPU_COUNT(&usual), 8));

  int first = 0;
  while (!CPU_ISSET(first, &usual)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(DefaultThreadCount(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(usual), &usual), 0);
}

}  // namespace
}  // namespace nsctl::base
