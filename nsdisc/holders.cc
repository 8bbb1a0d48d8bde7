#include "nsdisc/holders.h"

#include <array>
#include <utility>

#include "absl/algorithm/container.h"

namespace nsctl::nsdisc {
namespace {

// Indexed by HolderKind.
constexpr std::array<const char*, kHolderKindCount> kNames = {
    "process", "thread", "for-children", "fd",    "tun",
    "pidfd",   "socket", "bind-mount",   "child", "owned"};

constexpr std::pair<const char*, HolderKind> kOtherNames[] = {
    {"proc", HolderKind::kProcess},
    {"procs", HolderKind::kProcess},
    {"processes", HolderKind::kProcess},
    {"task", HolderKind::kThread},
    {"tasks", HolderKind::kThread},
    {"threads", HolderKind::kThread},
    {"fds", HolderKind::kFd},
    {"pidfds", HolderKind::kPidfd},
    {"sockets", HolderKind::kSocket},
    {"bindmount", HolderKind::kBindMount},
    {"bindmounts", HolderKind::kBindMount},
    {"bind-mounts", HolderKind::kBindMount},
    {"bind", HolderKind::kBindMount},
    {"mount", HolderKind::kBindMount},
    {"mounts", HolderKind::kBindMount},
    {"children", HolderKind::kChild},
    {"owns", HolderKind::kOwned},
};

uint64_t CountOf(const Namespace& ns, FdHolder::Kind kind) {
  return static_cast<uint64_t>(
      absl::c_count_if(ns.fds(), [&](const FdHolder& holder) { return holder.kind() == kind; }));
}

}  // namespace

const char* HolderKindName(HolderKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<HolderKind> HolderKindFromName(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<HolderKind>(i);
  }
  for (const auto& [other, kind] : kOtherNames) {
    if (name == other) return kind;
  }
  return std::nullopt;
}

std::vector<HolderCount> HoldersOf(const SnapshotIndex& index, const Namespace& ns) {
  std::vector<HolderCount> holders;
  const auto add = [&](HolderKind kind, uint64_t count) {
    if (count > 0) holders.push_back({kind, count});
  };
  add(HolderKind::kProcess, ns.process_count());
  add(HolderKind::kThread, static_cast<uint64_t>(ns.loose_threads_size()));
  add(HolderKind::kForChildren, static_cast<uint64_t>(ns.for_children_of_size()));
  add(HolderKind::kFd, CountOf(ns, FdHolder::namespace_file) + CountOf(ns, FdHolder::io_uring));
  add(HolderKind::kTun, CountOf(ns, FdHolder::tun));
  add(HolderKind::kPidfd, CountOf(ns, FdHolder::pidfd));
  add(HolderKind::kSocket, ns.socket_count());
  add(HolderKind::kBindMount, ns.bind_mount_count());
  add(HolderKind::kChild, static_cast<uint64_t>(ns.children_size()));
  if (ns.type() == Namespace::user) add(HolderKind::kOwned, index.OwnedBy(ns.inode()).size());
  return holders;
}

}  // namespace nsctl::nsdisc
