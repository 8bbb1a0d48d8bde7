// Whether the kernel keeps the processes of a cgroup frozen, whoever had it do so.

#ifndef NSCTL_ENGINES_FREEZER_H_
#define NSCTL_ENGINES_FREEZER_H_

#include <optional>
#include <utility>

#include "engines/cgroup_place.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

// Where /run and /sys/fs/cgroup of the host are; of the caller where that cannot be reached.
std::optional<procfsroot::Root> HostRoot(const procfsroot::Procfs& procfs);

class Freezer {
 public:
  // Without the host's root nothing is known to be frozen.
  explicit Freezer(std::optional<procfsroot::Root> host) : host_(std::move(host)) {}

  // Of the process whose cgroups are `place`. False where that cannot be read.
  bool IsFrozen(const CgroupPlace& place) const;

 private:
  std::optional<procfsroot::Root> host_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FREEZER_H_
