// What keeps a namespace alive, of all kinds, counted: the summary of what a snapshot's lists hold.

#ifndef NSCTL_NSDISC_HOLDERS_H_
#define NSCTL_NSDISC_HOLDERS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {

// In the order in which holders are told.
enum class HolderKind : uint8_t {
  // Processes, and threads of others, that are in it.
  kProcess,
  kThread,
  // Processes and threads whose next children will be in it.
  kForChildren,
  // Descriptors open on it; TUN/TAP files and sockets made in it; pidfds of processes in it.
  kFd,
  kTun,
  kPidfd,
  kSocket,
  kBindMount,
  // Namespaces whose parent it is, or which it owns as a user namespace.
  kChild,
  kOwned,
};
inline constexpr int kHolderKindCount = 10;

// "process", "thread", "for-children", "fd", "tun", "pidfd", "socket", "bind-mount", "child",
// "owned".
const char* HolderKindName(HolderKind kind);
// The inverse, and words that people use instead: plurals, "proc", "task", "bindmount", "mount".
std::optional<HolderKind> HolderKindFromName(absl::string_view name);

struct HolderCount {
  HolderKind kind;
  uint64_t count = 0;

  friend bool operator==(const HolderCount&, const HolderCount&) = default;
};

// The kinds of which `ns`, a namespace of the index's snapshot, has holders, in their order. Empty
// for a dark one and for one whose holders ended. Of descriptors of one kind at most as many are
// counted as are listed (namespace.proto).
std::vector<HolderCount> HoldersOf(const SnapshotIndex& index, const Namespace& ns);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_HOLDERS_H_
