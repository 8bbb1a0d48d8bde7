#include "engines/fake_process.h"

#include <cerrno>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/errors.h"
#include "engines/container_process.h"

namespace nsctl::engines {

absl::StatusOr<std::shared_ptr<const ContainerProcess>> FakeProcesses::Find(int64_t engine_pid) {
  const absl::MutexLock lock(&mutex_);
  const auto found = processes_.find(engine_pid);
  if (found == processes_.end() || found->second->Ended()) {
    return base::ErrnoStatus(ESRCH, "find", "fake process");
  }
  return found->second;
}

std::unique_ptr<ProcessFinder> FakeProcesses::MakeFinder() {
  class Finder : public ProcessFinder {
   public:
    explicit Finder(FakeProcesses* processes) : processes_(*processes) {}
    absl::StatusOr<std::shared_ptr<const ContainerProcess>> Find(int64_t engine_pid) override {
      return processes_.Find(engine_pid);
    }

   private:
    FakeProcesses& processes_;
  };
  return std::make_unique<Finder>(this);
}

}  // namespace nsctl::engines
