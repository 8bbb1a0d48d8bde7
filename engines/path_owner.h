// Whose word it is what a file says, or that there is a folder of some name: of whoever could have
// put it there.

#ifndef NSCTL_ENGINES_PATH_OWNER_H_
#define NSCTL_ENGINES_PATH_OWNER_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engines/cgroup_place.h"
#include "procfsroot/root.h"

namespace nsctl::engines {

// Remembers folders. For one thread at a time.
class PathOwners {
 public:
  // `root` must outlive this object.
  explicit PathOwners(const procfsroot::Root& root) : root_(root) {}

  // Of what is at `path` ("/run/user/1000/runc"), no link followed: the one user besides root that
  // it, and the folders on the way, belong to; 0 where all are root's. Numbers of the observer's
  // user namespace.
  // Errors: EPERM where they belong to several users; ELOOP where one is a symlink, EINVAL where
  // one is called "." or "..",
  // ENAMETOOLONG for folders nested very deep; those of Root::Stat.
  absl::StatusOr<uid_t> OwnerOf(const std::string& path);

  // Of the cgroup that a place is named for: who may name those below it, and move what is in it.
  // nullopt where its hierarchy is not to be found. Source: cgroups(7), on delegation.
  std::optional<absl::StatusOr<uid_t>> OwnerOfCgroup(const CgroupPlace& place);

 private:
  const procfsroot::Root& root_;
  // Folders on the way to others.
  std::map<std::string, absl::StatusOr<uid_t>> folders_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_PATH_OWNER_H_
