// Processes of a test's making, which end when the test says so.

#ifndef NSCTL_ENGINES_FAKE_PROCESS_H_
#define NSCTL_ENGINES_FAKE_PROCESS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/fd.h"
#include "engines/container_process.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {

class FakeProcess : public ContainerProcess {
 public:
  FakeProcess(int32_t pid, uint64_t start_time) : pid_(pid), start_time_(start_time) {}

  void End() { ended_.Request(); }

  int32_t pid() const override { return pid_; }
  uint64_t start_time() const override { return start_time_; }
  std::optional<uint64_t> pidfd_inode() const override { return std::nullopt; }
  bool Ended() const override { return ended_.requested(); }
  int poll_fd() const override { return ended_.fd().get(); }

 private:
  const int32_t pid_;
  const uint64_t start_time_;
  // Its descriptor becomes readable, like a pidfd.
  StopSignal ended_;
};

// A process table. PIDs are dealt from 100 upward and never again.
class FakeProcesses : public ProcessFinder {
 public:
  std::shared_ptr<FakeProcess> Start() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    const int32_t pid = next_pid_++;
    auto process = std::make_shared<FakeProcess>(pid, 1000 + static_cast<uint64_t>(pid));
    processes_[pid] = process;
    return process;
  }

  absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override
      ABSL_LOCKS_EXCLUDED(mutex_);

  // One that finds the same. Must not outlive this.
  std::unique_ptr<ProcessFinder> MakeFinder();

 private:
  absl::Mutex mutex_;
  int32_t next_pid_ ABSL_GUARDED_BY(mutex_) = 100;
  std::map<int64_t, std::shared_ptr<FakeProcess>> processes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_PROCESS_H_
