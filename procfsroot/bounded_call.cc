#include "procfsroot/bounded_call.h"

#include <signal.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "procfsroot/resolve_options.h"

namespace nsctl::procfsroot {
namespace {

constexpr size_t kMaxIdleWorkers = 4;

std::string DeviceText(dev_t device) {
  if (device == 0) return "the kernel";
  return absl::StrCat("device ", major(device), ":", minor(device));
}

// The stuck calls of this process. Never destroyed: abandoned workers outlive main().
class StuckTable {
 public:
  static StuckTable& Get() {
    static StuckTable* const table = new StuckTable;
    return *table;
  }

  void Add(dev_t device) {
    const std::lock_guard lock(mutex_);
    ++on_device_[device];
    ++total_;
  }
  void Remove(dev_t device) {
    const std::lock_guard lock(mutex_);
    if (--on_device_[device] == 0) on_device_.erase(device);
    --total_;
  }
  int total() const {
    const std::lock_guard lock(mutex_);
    return total_;
  }
  int On(dev_t device) const {
    const std::lock_guard lock(mutex_);
    const auto found = on_device_.find(device);
    return found == on_device_.end() ? 0 : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<dev_t, int> on_device_;
  int total_ = 0;
};

}  // namespace

namespace internal {

class BoundedJob {
 public:
  explicit BoundedJob(std::function<void(const DeviceGate&)> body) : body_(std::move(body)) {}

  // In the worker. False where the caller did not wait for the end.
  bool Run() {
    body_([this](dev_t device) { return Enter(device); });
    // What the body owns ends before anybody hears of its end.
    body_ = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::kAbandoned) {
        StuckTable::Get().Remove(device_);
        return false;
      }
      state_ = State::kDone;
    }
    // Without the lock, for which who is woken would have to wait again.
    done_.notify_one();
    return true;
  }

  // In the caller: false, and counted as stuck, where the job did not end in time.
  bool Await(absl::Duration timeout) {
    // Longer waits overflow the clock.
    const auto wait = absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24)));
    const auto deadline = std::chrono::steady_clock::now() + wait;
    std::unique_lock lock(mutex_);
    if (done_.wait_until(lock, deadline, [this] { return state_ == State::kDone; })) return true;
    state_ = State::kAbandoned;
    StuckTable::Get().Add(device_);
    return false;
  }

  // Where the job is, or was when it was abandoned; 0 before it entered any file system.
  dev_t device() const {
    const std::lock_guard lock(mutex_);
    return device_;
  }

 private:
  enum class State { kRunning, kDone, kAbandoned };

  absl::Status Enter(dev_t device) {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kAbandoned) return absl::CancelledError("nobody waits any more");
    device_ = device;
    const int stuck = StuckTable::Get().On(device);
    if (stuck < kMaxStuckCallsOnDevice) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("not tried: ", stuck, " earlier calls still wait for ", DeviceText(device)));
  }

  std::function<void(const DeviceGate&)> body_;
  mutable std::mutex mutex_;
  std::condition_variable done_;
  State state_ = State::kRunning;
  dev_t device_ = 0;
};

std::shared_ptr<BoundedJob> MakeBoundedJob(std::function<void(const DeviceGate&)> body) {
  return std::make_shared<BoundedJob>(std::move(body));
}

// A thread that runs one job after the other until it is told to end or a job was abandoned.
class BoundedWorker {
 public:
  static absl::StatusOr<std::shared_ptr<BoundedWorker>> Start() {
    auto worker = std::make_shared<BoundedWorker>();
    // The program's signals are for the threads that it knows of.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    absl::Status started;
    try {
      worker->thread_ = std::thread([worker] { worker->Loop(); });
    } catch (const std::system_error& failure) {
      started = absl::ResourceExhaustedError(
          absl::StrCat("no thread can be made: ", failure.code().message()));
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!started.ok()) return started;
    return worker;
  }

  void Give(std::shared_ptr<BoundedJob> job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = std::move(job);
    }
    given_.notify_one();
  }
  void EndAndJoin() {
    Give(nullptr);
    thread_.join();
  }
  void Abandon() { thread_.detach(); }

 private:
  void Loop() {
    while (true) {
      std::unique_lock lock(mutex_);
      given_.wait(lock, [this] { return job_.has_value(); });
      const std::shared_ptr<BoundedJob> job = *std::exchange(job_, std::nullopt);
      lock.unlock();
      if (job == nullptr || !job->Run()) return;
    }
  }

  std::mutex mutex_;
  std::condition_variable given_;
  // nullptr: end.
  std::optional<std::shared_ptr<BoundedJob>> job_;
  std::thread thread_;
};

}  // namespace internal

using internal::BoundedJob;
using internal::BoundedWorker;

int StuckCalls() { return StuckTable::Get().total(); }
int StuckCallsOn(dev_t device) { return StuckTable::Get().On(device); }

BoundedCaller::~BoundedCaller() {
  for (const std::shared_ptr<BoundedWorker>& worker : idle_) worker->EndAndJoin();
}

absl::StatusOr<std::shared_ptr<BoundedWorker>> BoundedCaller::TakeWorker() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::shared_ptr<BoundedWorker> worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  return BoundedWorker::Start();
}

void BoundedCaller::GiveBack(std::shared_ptr<BoundedWorker> worker) {
  {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdleWorkers) {
      idle_.push_back(std::move(worker));
      return;
    }
  }
  worker->EndAndJoin();
}

absl::Status BoundedCaller::RunJob(absl::string_view what, absl::Duration timeout,
                                   std::shared_ptr<BoundedJob> job, Worker use) {
  const int stuck = StuckCalls();
  if (stuck >= kMaxStuckCalls) {
    return absl::UnavailableError(
        absl::StrCat(what, ": not tried: ", stuck, " earlier calls still wait"));
  }
  if (stuck >= kPatientCalls) timeout /= kImpatience;
  absl::StatusOr<std::shared_ptr<BoundedWorker>> worker =
      use == Worker::kReused ? TakeWorker() : BoundedWorker::Start();
  if (!worker.ok()) {
    return absl::Status(worker.status().code(),
                        absl::StrCat(what, ": ", worker.status().message()));
  }
  (*worker)->Give(job);
  if (!job->Await(timeout)) {
    (*worker)->Abandon();
    return absl::DeadlineExceededError(absl::StrCat(what, ": no answer from ",
                                                    DeviceText(job->device()), " within ",
                                                    absl::FormatDuration(timeout)));
  }
  if (use == Worker::kUsedOnce) {
    (*worker)->EndAndJoin();
  } else {
    GiveBack(*std::move(worker));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::procfsroot
