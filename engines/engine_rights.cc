#include "engines/engine_rights.h"

#include <linux/capability.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// The kernel allows 32.
constexpr int kMaxLevels = 40;

absl::Status NotAllowed(const procfsroot::ProcessDir& process) {
  return base::ErrnoStatus(EPERM, "be the engine of", process.fd().path());
}

}  // namespace

absl::StatusOr<EngineRights> EngineRights::Read(const procfsroot::Procfs& procfs,
                                                const procfsroot::ProcessDir& engine) {
  EngineRights rights;
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd user, engine.OpenNamespace("user"));
  NSCTL_ASSIGN_OR_RETURN(rights.user_namespace_, base::NamespaceIdOf(user));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd own, self.OpenNamespace("user"));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId ours, base::NamespaceIdOf(own));
  rights.own_ = ours == rights.user_namespace_;
  NSCTL_ASSIGN_OR_RETURN(const std::string text, engine.Read("status", procfsroot::kMaxStatus));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields status, procfsroot::ParseStatus(text));
  rights.uid_ = status.effective_uid;
  rights.privileged_ = (status.effective_capabilities >> CAP_SYS_ADMIN & uint64_t{1}) != 0;
  return rights;
}

absl::Status EngineRights::Check(const procfsroot::ProcessDir& process) const {
  // All that the caller sees is in its own user namespace or below.
  if (privileged_ && own_) return absl::OkStatus();
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd current, process.OpenNamespace("user"));
  base::OwnedFd below;
  for (int level = 0; level < kMaxLevels; ++level) {
    NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(current));
    if (id == user_namespace_) {
      if (privileged_) return absl::OkStatus();
      if (!below.ok()) return NotAllowed(process);
      NSCTL_ASSIGN_OR_RETURN(const uid_t owner, base::OwnerUidOf(below));
      return owner == uid_ ? absl::OkStatus() : NotAllowed(process);
    }
    absl::StatusOr<base::OwnedFd> above = base::OpenParent(current);
    // Its parent is outside of what the caller sees, so the engine's is not among them.
    if (!above.ok()) return NotAllowed(process);
    below = std::move(current);
    current = *std::move(above);
  }
  return NotAllowed(process);
}

}  // namespace nsctl::engines
