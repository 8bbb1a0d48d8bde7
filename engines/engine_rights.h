// Which processes an engine can have made, by the kernel's rules: what it says of others is not
// believed. The same holds for what users write, and for the names of their cgroups.
//
// A process can be put only into the user namespace of its maker, or one below that; and by one
// without privileges only into namespaces that its own user owns.

#ifndef NSCTL_ENGINES_ENGINE_RIGHTS_H_
#define NSCTL_ENGINES_ENGINE_RIGHTS_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {

class EngineRights {
 public:
  // As `engine`, a process of `procfs`, has them now. Errors: those of reading it.
  static absl::StatusOr<EngineRights> Read(const procfsroot::Procfs& procfs,
                                           const procfsroot::ProcessDir& engine);

  // As any process of the user `uid` has them that is in the caller's user namespace and has no
  // privileges. Errors: those of reading the caller's own namespace.
  static absl::StatusOr<EngineRights> OfUser(const procfsroot::Procfs& procfs, uid_t uid);

  // As root has them in the user namespace of `process`. Errors: those of opening it.
  static absl::StatusOr<EngineRights> OfRootBeside(const procfsroot::Procfs& procfs,
                                                   const procfsroot::ProcessDir& process);

  // EPERM where the engine cannot have made `process`, unless that descends from it. Errors: those
  // of opening its user namespace.
  absl::Status Check(const procfsroot::ProcessDir& process) const;

  // The same, with the processes of the engine's user in its own user namespace, which have no
  // privileges: what that user may call his, whoever made it. Errors: also those of reading it.
  absl::Status CheckOwn(const procfsroot::ProcessDir& process) const;

  // It may do all that the caller's user namespace is asked for.
  bool is_hosts() const { return privileged_ && own_; }

 private:
  base::NamespaceId user_namespace_;
  // It has CAP_SYS_ADMIN there; and `user_namespace_` is the caller's own.
  bool privileged_ = false;
  bool own_ = false;
  uid_t uid_ = 0;
};

// Sets Engine.uid and `foreign` of an engine whose process `pid` is, as far as that can be read. An
// observer without privileges takes engines of his own user for the host's as well.
void SetStanding(const procfsroot::Procfs& procfs, base::Pid pid, Engine* engine);

// Whether a container that begins with `init`, and is one by the word of the user `uid`, can be
// around `process`: that is the user's own, or in the user namespace of `init`, which is not the
// caller's, or below. Whatever cgroup the user moved it to, and whoever it descends from. False
// where that cannot be told. Of root's word true: it counts for what is below root alone.
bool CanBeAround(const procfsroot::Procfs& procfs, uid_t uid, const procfsroot::ProcessDir& init,
                 const procfsroot::ProcessDir& process);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_RIGHTS_H_
