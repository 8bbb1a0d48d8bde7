#include "engines/call_pool.h"

#include <algorithm>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace nsctl::engines {

CallPool::~CallPool() {
  std::vector<std::thread> threads;
  {
    const absl::MutexLock lock(&mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void CallPool::Run(std::function<void()> call) {
  std::vector<std::thread> ended;
  bool alone = false;
  {
    const absl::MutexLock lock(&mutex_);
    waiting_.push_back(std::move(call));
    for (const std::thread::id id : ended_) {
      const auto found = std::find_if(threads_.begin(), threads_.end(),
                                      [id](const auto& thread) { return thread.get_id() == id; });
      ended.push_back(std::move(*found));
      threads_.erase(found);
    }
    ended_.clear();
    if (running_ < max_threads_) {
      ++running_;
      try {
        threads_.emplace_back([this] { Work(); });
      } catch (const std::system_error&) {
        --running_;
      }
    }
    alone = running_ == 0;
    if (alone) ++running_;
  }
  for (std::thread& thread : ended) thread.join();
  if (alone) WorkUntilEmpty();
}

void CallPool::Work() {
  WorkUntilEmpty();
  const absl::MutexLock lock(&mutex_);
  ended_.push_back(std::this_thread::get_id());
}

void CallPool::WorkUntilEmpty() {
  while (true) {
    std::function<void()> call;
    {
      const absl::MutexLock lock(&mutex_);
      if (waiting_.empty()) {
        --running_;
        return;
      }
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    call();
  }
}

}  // namespace nsctl::engines
