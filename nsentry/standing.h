// What a process may do in user namespaces, as the kernel judges it: told before it is tried.
//
// A capability holds in one user namespace and all below it; whoever made a user namespace has
// every capability there from its parent. Source: user_namespaces(7), cap_capable()
// (security/commoncap.c).

#ifndef NSCTL_NSENTRY_STANDING_H_
#define NSCTL_NSENTRY_STANDING_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/fd.h"
#include "base/namespace_type.h"

namespace nsctl::nsentry {

// The numbers of the capabilities that setns(2) asks for (linux/capability.h).
inline constexpr int kCapSetgid = 6;
inline constexpr int kCapSetuid = 7;
inline constexpr int kCapSysChroot = 18;
inline constexpr int kCapSysPtrace = 19;
inline constexpr int kCapSysAdmin = 21;

// "CAP_SYS_ADMIN", for those above.
const char* NameOfCapability(int capability);

// Who asks: a user namespace, and what is effective in it.
struct Standing {
  base::NamespaceId user_namespace;
  uint64_t effective = 0;
  uid_t effective_uid = 0;

  // Whoever joins a user namespace has all capabilities there and keeps his uid.
  Standing AfterJoining(base::NamespaceId joined) const {
    return {joined, ~uint64_t{0}, effective_uid};
  }

  bool Has(int capability) const { return (effective >> capability & 1) != 0; }
};

// The calling thread's; `user_namespace` is the one that it is in. Source: capget(2).
absl::StatusOr<Standing> OwnStanding(base::NamespaceId user_namespace);

// A user namespace and who made it: absent where the kernel does not tell.
struct UserNamespaceLink {
  base::NamespaceId id;
  std::optional<uid_t> owner_uid;
};

// From the user namespace `user_namespace` upward, parents after children, up to `top` or as far as
// the kernel tells the caller.
absl::StatusOr<std::vector<UserNamespaceLink>> ReadUserNamespaceChain(base::FdRef user_namespace,
                                                                      base::NamespaceId top);

// Whether `standing` has `capability` in the first namespace of `chain`. False for an empty chain.
bool HasCapabilityIn(const Standing& standing, absl::Span<const UserNamespaceLink> chain,
                     int capability);

}  // namespace nsctl::nsentry

#endif  // NSCTL_NSENTRY_STANDING_H_
