// Which processes an engine can have made, by the kernel's rules: what it says of others is not
// believed.
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

  // EPERM where the engine cannot have made `process`, unless that descends from it. Errors: those
  // of opening its user namespace.
  absl::Status Check(const procfsroot::ProcessDir& process) const;

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

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_ENGINE_RIGHTS_H_
