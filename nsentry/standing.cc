#include "nsentry/standing.h"

#include <unistd.h>

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "base/capget.h"
#include "base/errors.h"
#include "base/nsfs.h"
#include "base/status_macros.h"

namespace nsctl::nsentry {
namespace {

// The kernel nests 33 deep (kernel/user_namespace.c).
constexpr size_t kMaxDepth = 64;

}  // namespace

const char* NameOfCapability(int capability) {
  switch (capability) {
    case kCapSetgid:
      return "CAP_SETGID";
    case kCapSetuid:
      return "CAP_SETUID";
    case kCapSysChroot:
      return "CAP_SYS_CHROOT";
    case kCapSysPtrace:
      return "CAP_SYS_PTRACE";
    default:
      return "CAP_SYS_ADMIN";
  }
}

absl::StatusOr<Standing> OwnStanding(base::NamespaceId user_namespace) {
  NSCTL_ASSIGN_OR_RETURN(const base::CapabilityMasks masks, base::CapabilityMasksOf({0}));
  return Standing{user_namespace, masks.effective, geteuid()};
}

absl::StatusOr<std::vector<UserNamespaceLink>> ReadUserNamespaceChain(base::FdRef user_namespace,
                                                                      base::NamespaceId top) {
  std::vector<UserNamespaceLink> chain;
  base::OwnedFd held;
  base::FdRef current = user_namespace;
  while (chain.size() < kMaxDepth) {
    UserNamespaceLink link;
    NSCTL_ASSIGN_OR_RETURN(link.id, base::NamespaceIdOf(current));
    if (const absl::StatusOr<uid_t> uid = base::OwnerUidOf(current); uid.ok()) {
      link.owner_uid = *uid;
    }
    chain.push_back(link);
    if (link.id == top) break;
    absl::StatusOr<base::OwnedFd> parent = base::OpenParent(current);
    if (base::IsDenied(parent.status())) break;
    if (!parent.ok()) return parent.status();
    held = *std::move(parent);
    current = held;
  }
  return chain;
}

bool HasCapabilityIn(const Standing& standing, absl::Span<const UserNamespaceLink> chain,
                     int capability) {
  for (size_t i = 0; i < chain.size(); ++i) {
    if (chain[i].id == standing.user_namespace) return standing.Has(capability);
    const bool made_by_standing = i + 1 < chain.size() &&
                                  chain[i + 1].id == standing.user_namespace &&
                                  chain[i].owner_uid == standing.effective_uid;
    if (made_by_standing) return true;
  }
  return false;
}

}  // namespace nsctl::nsentry
