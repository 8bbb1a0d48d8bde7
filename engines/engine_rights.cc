#include "engines/engine_rights.h"

#include <linux/capability.h>
#include <unistd.h>

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
#include "engines/container.h"
#include "engines/process_scan.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// The kernel allows 32.
constexpr int kMaxLevels = 40;

absl::Status NotAllowed(const procfsroot::ProcessDir& process) {
  return base::ErrnoStatus(EPERM, "be the engine of", process.fd().path());
}

absl::StatusOr<base::NamespaceId> UserNamespaceOf(const procfsroot::ProcessDir& process) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd user, process.OpenNamespace("user"));
  return base::NamespaceIdOf(user);
}

absl::StatusOr<base::NamespaceId> OwnUserNamespace(const procfsroot::Procfs& procfs) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  return UserNamespaceOf(self);
}

bool IsPrivileged(const procfsroot::StatusFields& status) {
  return (status.effective_capabilities >> CAP_SYS_ADMIN & uint64_t{1}) != 0;
}

// False where that cannot be told.
bool IsInOtherPidNamespace(const procfsroot::Procfs& procfs,
                           const procfsroot::ProcessDir& process) {
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return false;
  const absl::StatusOr<uint64_t> own = ReadNamespaceInode(*self, "pid");
  const absl::StatusOr<uint64_t> other = ReadNamespaceInode(process, "pid");
  return own.ok() && other.ok() && *own != *other;
}

}  // namespace

absl::StatusOr<EngineRights> EngineRights::Read(const procfsroot::Procfs& procfs,
                                                const procfsroot::ProcessDir& engine) {
  EngineRights rights;
  NSCTL_ASSIGN_OR_RETURN(rights.user_namespace_, UserNamespaceOf(engine));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId ours, OwnUserNamespace(procfs));
  rights.own_ = ours == rights.user_namespace_;
  NSCTL_ASSIGN_OR_RETURN(const std::string text, engine.Read("status", procfsroot::kMaxStatus));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields status, procfsroot::ParseStatus(text));
  rights.uid_ = status.effective_uid;
  rights.privileged_ = IsPrivileged(status);
  return rights;
}

absl::StatusOr<EngineRights> EngineRights::OfUser(const procfsroot::Procfs& procfs, uid_t uid) {
  EngineRights rights;
  NSCTL_ASSIGN_OR_RETURN(rights.user_namespace_, OwnUserNamespace(procfs));
  rights.own_ = true;
  rights.uid_ = uid;
  return rights;
}

absl::StatusOr<EngineRights> EngineRights::OfRootBeside(const procfsroot::Procfs& procfs,
                                                        const procfsroot::ProcessDir& process) {
  EngineRights rights;
  NSCTL_ASSIGN_OR_RETURN(rights.user_namespace_, UserNamespaceOf(process));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId ours, OwnUserNamespace(procfs));
  rights.own_ = ours == rights.user_namespace_;
  rights.privileged_ = true;
  return rights;
}

absl::Status EngineRights::CheckOwn(const procfsroot::ProcessDir& process) const {
  const absl::Status made = Check(process);
  if (made.ok()) return made;
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId user, UserNamespaceOf(process));
  if (user != user_namespace_) return made;
  NSCTL_ASSIGN_OR_RETURN(const std::string text, process.Read("status", procfsroot::kMaxStatus));
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields status, procfsroot::ParseStatus(text));
  // A user may start programs that have more rights than he has.
  const bool is_own = status.real_uid == uid_ && status.effective_uid == uid_;
  return is_own && !IsPrivileged(status) ? absl::OkStatus() : made;
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

bool CanBeAround(const procfsroot::Procfs& procfs, uid_t uid, const procfsroot::ProcessDir& init,
                 const procfsroot::ProcessDir& process) {
  if (uid == 0) return true;
  const absl::StatusOr<EngineRights> users = EngineRights::OfUser(procfs, uid);
  if (users.ok() && users->CheckOwn(process).ok()) return true;
  const absl::StatusOr<EngineRights> inside = EngineRights::OfRootBeside(procfs, init);
  return inside.ok() && !inside->is_hosts() && inside->Check(process).ok();
}

void SetStanding(const procfsroot::Procfs& procfs, base::Pid pid, Engine* engine) {
  // Nothing is known of it yet.
  engine->set_foreign(true);
  const absl::StatusOr<procfsroot::ProcessDir> process = procfs.OpenProcess(pid);
  if (!process.ok()) return;
  const absl::StatusOr<std::string> text = process->Read("status", procfsroot::kMaxStatus);
  if (!text.ok()) return;
  const absl::StatusOr<procfsroot::StatusFields> status = procfsroot::ParseStatus(*text);
  if (!status.ok()) return;
  engine->set_uid(status->effective_uid);
  const uid_t own_uid = geteuid();
  const bool is_own = own_uid != 0 && status->effective_uid == own_uid;
  const absl::StatusOr<EngineRights> rights = EngineRights::Read(procfs, *process);
  // Namespaces of root's processes may not be read by others.
  const bool is_hosts = rights.ok() ? rights->is_hosts() : status->effective_uid == 0;
  engine->set_foreign(!(is_own || is_hosts) || IsInOtherPidNamespace(procfs, *process));
}

}  // namespace nsctl::engines
