// The kernel's rule on which capabilities a process has in a namespace.

#ifndef NSCTL_CMD_CAPS_RULE_H_
#define NSCTL_CMD_CAPS_RULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/caps.pb.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

struct CapsRuling {
  CapabilityReport::Rule rule = CapabilityReport::unknown;
  // In words, as stored text.
  std::string reason;
};

// The user namespace that counts for `ns`: itself, or its owner; nullopt where unknown.
std::optional<uint32_t> UserNamespaceFor(const nsdisc::Namespace& ns);

// `inode` and the user namespaces above it, as far as they are known, the topmost last.
std::vector<uint32_t> UserNamespacesUpFrom(const nsdisc::SnapshotIndex& index, uint32_t inode);

// Which rule decides on the capabilities of the main thread of `process` in `target`. Where neither
// of two user namespaces is known to be above the other because their parents are hidden from the
// scanner, and where uids are such that they cannot be told apart, the rule is `unknown`. Source:
// cap_capable() in security/commoncap.c, user_namespaces(7).
CapsRuling RuleOn(const nsdisc::SnapshotIndex& index, const nsdisc::Process& process,
                  const nsdisc::Namespace& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CAPS_RULE_H_
