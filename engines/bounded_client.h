// Keeps what one engine says within bounds of memory, whatever it says.

#ifndef NSCTL_ENGINES_BOUNDED_CLIENT_H_
#define NSCTL_ENGINES_BOUNDED_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/http_client.h"

namespace nsctl::engines {

// What several engines may take together. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(size_t bytes) : left_(bytes) {}

  // False, and nothing is taken, where there is not that much left.
  bool Take(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Give(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  size_t left_ ABSL_GUARDED_BY(mutex_);
};

struct RowLimits {
  // Of one container, and of all that the engine tells of.
  size_t row_bytes = 4 << 20;
  size_t bytes = 512 << 20;
  // nullptr: no others are counted with it.
  std::shared_ptr<ByteBudget> shared = nullptr;
};

// Roughly what the row takes of memory: no less than what an empty one does.
size_t MemoryOf(const EngineRow& row);

// A client whose lists and inspections end with RESOURCE_EXHAUSTED where they are beyond `limits`.
// What was listed or inspected last of a container counts until it ends or is not listed any more.
class BoundedClient : public EngineClient {
 public:
  BoundedClient(std::unique_ptr<EngineClient> client, RowLimits limits)
      : client_(std::move(client)), limits_(std::move(limits)) {}
  ~BoundedClient() override;

  absl::StatusOr<Engine> Identify(const CallLimits& limits) override {
    return client_->Identify(limits);
  }
  absl::Status Ping(const CallLimits& limits) override { return client_->Ping(limits); }
  // An event that is too long is one that was lost.
  absl::Status Watch(absl::Time since, const CallLimits& limits,
                     absl::FunctionRef<void()> subscribed,
                     absl::FunctionRef<void(const EngineEvent&)> sink) override;
  absl::Status List(const CallLimits& limits,
                    absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::Status ListStopped(const CallLimits& limits,
                           absl::FunctionRef<absl::Status(EngineRow)> sink) override;
  absl::StatusOr<EngineRow> Inspect(const ContainerId& container,
                                    const CallLimits& limits) override;
  bool replays() const override { return client_->replays(); }
  std::optional<std::pair<int32_t, uint64_t>> process() const override {
    return client_->process();
  }

 private:
  using Sizes = std::map<ContainerId, size_t>;

  absl::Status TakeBytes(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBytes(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts `row` among `sizes`, in place of what is known of the same container there.
  absl::Status Count(const EngineRow& row, Sizes* sizes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Forget(const ContainerId& container) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<EngineClient> client_;
  const RowLimits limits_;
  absl::Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  // What is told of: by lists and inspections, and of those that do not run.
  Sizes living_ ABSL_GUARDED_BY(mutex_);
  Sizes stopped_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_BOUNDED_CLIENT_H_
