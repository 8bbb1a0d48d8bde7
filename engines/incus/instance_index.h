// Which container a name means now: the events of Incus and LXD name instances, whose names may be
// given to others, and containers are told by what does not change.
//
// Answers of the server count for what was asked: one that was asked for before an event that names
// something anew says nothing about it. Thread-safe.

#ifndef NSCTL_ENGINES_INCUS_INSTANCE_INDEX_H_
#define NSCTL_ENGINES_INCUS_INSTANCE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engines/container.h"
#include "engines/incus/incus_messages.h"

namespace nsctl::engines::incus {

class InstanceIndex {
 public:
  // Beyond so many instances all is forgotten, and learnt again.
  explicit InstanceIndex(size_t max_instances = 200'000) : max_instances_(max_instances) {}

  // To be taken before the server is asked, and given to Learn with the answer.
  uint64_t Now() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The name is of this container; with an empty id, of nothing that is told (a virtual machine).
  void Learn(const InstanceName& name, const std::string& id, uint64_t asked)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The name may be another one's from now on.
  void Forget(const InstanceName& name) ABSL_LOCKS_EXCLUDED(mutex_);

  // The id, maybe empty, as learnt; nullopt where it is not known.
  std::optional<std::string> IdOf(const InstanceName& name) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The name that was last learnt for it.
  std::optional<InstanceName> NameOf(const ContainerId& id) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Known {
    // nullopt: forgotten.
    std::optional<std::string> id;
    // The time that it is known of.
    uint64_t time = 0;
  };

  const size_t max_instances_;
  mutable absl::Mutex mutex_;
  // Counts what named something anew.
  uint64_t now_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<InstanceName, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::map<ContainerId, std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines::incus

#endif  // NSCTL_ENGINES_INCUS_INSTANCE_INDEX_H_
