#include "engines/bounded_client.h"

#include <cstddef>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "engines/container.h"
#include "engines/engine_client.h"

namespace nsctl::engines {
namespace {

// A row's fields, its place in maps and what follows its process; a label's; and as strings grow.
constexpr size_t kRowOverhead = 1024;
constexpr size_t kLabelOverhead = 128;
constexpr size_t kPerByte = 2;
// Names and ids are far shorter.
constexpr size_t kMaxEventText = 64 << 10;

size_t TextOf(const EngineEvent& event) {
  return event.container.id.size() + event.container.native_namespace.size() + event.name.size() +
         event.image.size();
}

}  // namespace

bool ByteBudget::Take(size_t bytes) {
  const absl::MutexLock lock(&mutex_);
  if (bytes > left_) return false;
  left_ -= bytes;
  return true;
}

void ByteBudget::Give(size_t bytes) {
  const absl::MutexLock lock(&mutex_);
  left_ += bytes;
}

size_t MemoryOf(const EngineRow& row) {
  const Container& container = row.container;
  size_t bytes =
      kRowOverhead + kPerByte * container.ByteSizeLong() +
      kLabelOverhead * static_cast<size_t>(container.labels_size() + container.annotations_size());
  if (row.pod.has_value()) {
    bytes +=
        kPerByte * row.pod->ByteSizeLong() +
        kLabelOverhead * static_cast<size_t>(row.pod->labels_size() + row.pod->annotations_size());
  }
  return bytes;
}

BoundedClient::~BoundedClient() {
  const absl::MutexLock lock(&mutex_);
  GiveBytes(taken_);
}

absl::Status BoundedClient::TakeBytes(size_t bytes) {
  if (bytes > limits_.bytes - taken_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("what it tells of its containers is more than ", limits_.bytes, " bytes"));
  }
  if (limits_.shared != nullptr && !limits_.shared->Take(bytes)) {
    return absl::ResourceExhaustedError(
        "what it and others like it tell of their containers is too much");
  }
  taken_ += bytes;
  return absl::OkStatus();
}

void BoundedClient::GiveBytes(size_t bytes) {
  taken_ -= bytes;
  if (limits_.shared != nullptr) limits_.shared->Give(bytes);
}

absl::Status BoundedClient::Count(const EngineRow& row, Sizes* sizes) {
  const size_t bytes = MemoryOf(row);
  if (bytes > limits_.row_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("what it tells of one container is more than ", limits_.row_bytes, " bytes"));
  }
  const absl::MutexLock lock(&mutex_);
  NSCTL_RETURN_IF_ERROR(TakeBytes(bytes));
  size_t& known = (*sizes)[IdOf(row.container)];
  GiveBytes(known);
  known = bytes;
  return absl::OkStatus();
}

void BoundedClient::Forget(const ContainerId& container) {
  const absl::MutexLock lock(&mutex_);
  const auto found = living_.find(container);
  if (found == living_.end()) return;
  GiveBytes(found->second);
  living_.erase(found);
}

absl::Status BoundedClient::Watch(absl::Time since, const CallLimits& limits,
                                  absl::FunctionRef<void()> subscribed,
                                  absl::FunctionRef<void(const EngineEvent&)> sink) {
  return client_->Watch(since, limits, subscribed, [this, sink](const EngineEvent& event) {
    if (TextOf(event) > kMaxEventText) return sink({.kind = EngineEvent::Kind::kLost});
    if (event.kind == EngineEvent::Kind::kExited || event.kind == EngineEvent::Kind::kRemoved) {
      Forget(event.container);
    }
    sink(event);
  });
}

absl::Status BoundedClient::List(const CallLimits& limits,
                                 absl::FunctionRef<absl::Status(EngineRow)> sink) {
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [container, bytes] : std::exchange(living_, {})) GiveBytes(bytes);
  }
  return client_->List(limits, [this, sink](EngineRow row) -> absl::Status {
    NSCTL_RETURN_IF_ERROR(Count(row, &living_));
    return sink(std::move(row));
  });
}

absl::Status BoundedClient::ListStopped(const CallLimits& limits,
                                        absl::FunctionRef<absl::Status(EngineRow)> sink) {
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [container, bytes] : std::exchange(stopped_, {})) GiveBytes(bytes);
  }
  return client_->ListStopped(limits, [this, sink](EngineRow row) -> absl::Status {
    NSCTL_RETURN_IF_ERROR(Count(row, &stopped_));
    return sink(std::move(row));
  });
}

absl::StatusOr<EngineRow> BoundedClient::Inspect(const ContainerId& container,
                                                 const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(EngineRow row, client_->Inspect(container, limits));
  NSCTL_RETURN_IF_ERROR(Count(row, &living_));
  return row;
}

}  // namespace nsctl::engines
