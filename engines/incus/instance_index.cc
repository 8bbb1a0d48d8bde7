#include "engines/incus/instance_index.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/synchronization/mutex.h"
#include "engines/container.h"
#include "engines/incus/incus_messages.h"

namespace nsctl::engines::incus {

uint64_t InstanceIndex::Now() const {
  const absl::MutexLock lock(&mutex_);
  return now_;
}

void InstanceIndex::Learn(const InstanceName& name, const std::string& id, uint64_t asked) {
  const absl::MutexLock lock(&mutex_);
  if (known_.size() >= max_instances_ || names_.size() >= max_instances_) {
    known_.clear();
    names_.clear();
  }
  Known& known = known_[name];
  if (asked < known.time) return;
  known = {.id = id, .time = asked};
  if (!id.empty()) names_[{.native_namespace = name.project, .id = id}] = name.name;
}

void InstanceIndex::Forget(const InstanceName& name) {
  const absl::MutexLock lock(&mutex_);
  if (known_.size() >= max_instances_) {
    known_.clear();
    names_.clear();
  }
  known_[name] = {.id = std::nullopt, .time = ++now_};
}

std::optional<std::string> InstanceIndex::IdOf(const InstanceName& name) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = known_.find(name);
  return found == known_.end() ? std::nullopt : found->second.id;
}

std::optional<InstanceName> InstanceIndex::NameOf(const ContainerId& id) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = names_.find(id);
  if (found == names_.end()) return std::nullopt;
  return InstanceName{.project = id.native_namespace, .name = found->second};
}

}  // namespace nsctl::engines::incus
