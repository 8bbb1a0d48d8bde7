// Runs calls that block in a bounded number of threads, which live only as long as there is work.

#ifndef NSCTL_ENGINES_CALL_POOL_H_
#define NSCTL_ENGINES_CALL_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace nsctl::engines {

class CallPool {
 public:
  explicit CallPool(int max_threads) : max_threads_(max_threads) {}
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;
  // Waits for all calls, those that have not begun as well: stop them first.
  ~CallPool();

  // `call` must not throw. Where no thread can be made it runs in those that there are; where there
  // is none, in the caller's.
  void Run(std::function<void()> call) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void WorkUntilEmpty() ABSL_LOCKS_EXCLUDED(mutex_);
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  const int max_threads_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  // Some of them have ended.
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread::id> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_CALL_POOL_H_
