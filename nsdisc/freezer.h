// Whether the processes of a cgroup are frozen.

#ifndef NSCTL_NSDISC_FREEZER_H_
#define NSCTL_NSDISC_FREEZER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.h"
#include "nsdisc/process.pb.h"

namespace nsctl::nsdisc {

// Where a cgroup hierarchy is mounted.
struct CgroupMount {
  // An open directory, the mount's root.
  base::OwnedFd directory;
  // The cgroup that is the mount's root: "/" unless a part of the hierarchy is mounted.
  std::string root;
};

class Freezer {
 public:
  // The mounts may hold nothing. A host may have both, and freeze by either.
  Freezer(CgroupMount v1_freezer, CgroupMount unified)
      : v1_freezer_(std::move(v1_freezer)), unified_(std::move(unified)) {}

  // Finds the mounts in the text of the caller's own mountinfo and opens them; those it cannot find
  // or open are absent.
  static Freezer FromMountinfo(absl::string_view mountinfo);

  // Frozen or freezing, by freezer.state (v1) or cgroup.events (v2). nullopt where `cgroups` is in
  // no hierarchy that freezes, which includes the v2 root. Errors: those of reading the file
  // (ENOENT once the cgroup is gone); FAILED_PRECONDITION where the cgroup lies outside of the
  // mounted part. Source: cgroup-v1/freezer-subsystem.rst, cgroup-v2.rst.
  absl::StatusOr<std::optional<bool>> IsFrozen(const Cgroups& cgroups) const;

 private:
  CgroupMount v1_freezer_;
  CgroupMount unified_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_FREEZER_H_
