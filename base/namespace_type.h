// The eight kinds of Linux namespace, in one table, and the strong types that name namespaces and
// processes.

#ifndef NSCTL_BASE_NAMESPACE_TYPE_H_
#define NSCTL_BASE_NAMESPACE_TYPE_H_

#include <sys/types.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace nsctl::base {

// The values index kNamespaceTypes. The order is that of lxkns's model; it is the order in which
// results list types.
enum class NamespaceType : uint8_t { kMnt, kCgroup, kUts, kIpc, kUser, kPid, kNet, kTime };
inline constexpr size_t kNamespaceTypeCount = 8;

struct NamespaceTypeInfo {
  NamespaceType type;
  // The kernel's word: the name below /proc/PID/ns and before the brackets of its link text.
  const char* name;
  // The entry of the namespace that children will be created in; nullptr where there is none.
  const char* for_children_entry;
  // CLONE_NEW*, as unshare(2), setns(2) and NS_GET_NSTYPE use it.
  uint32_t clone_flag;
  // The inode number of the initial namespace (include/linux/proc_ns.h, include/uapi/linux/nsfs.h).
  uint32_t initial_inode;
  // False for mnt and net, whose initial inode became fixed only lately; older kernels deal them a
  // dynamic number, so its absence proves nothing.
  bool initial_inode_always_fixed;
  // Namespaces of this type have parents (NS_GET_PARENT).
  bool hierarchical;
  // The number of PIDFD_GET_*_NAMESPACE, and of the one for the namespace that children will be
  // created in, 0 where there is none (ioctl_pidfd(2)).
  uint8_t pidfd_request;
  uint8_t pidfd_for_children_request;
};

// One row per type, indexed by NamespaceType.
extern const std::array<NamespaceTypeInfo, kNamespaceTypeCount> kNamespaceTypes;

const NamespaceTypeInfo& InfoOf(NamespaceType type);

// "net" -> kNet. nullopt for anything else; case matters as it does in the kernel.
std::optional<NamespaceType> NamespaceTypeFromName(absl::string_view name);

// CLONE_NEWNET -> kNet. nullopt for anything but exactly one known flag.
std::optional<NamespaceType> NamespaceTypeFromCloneFlag(uint32_t flag);

// A namespace as stat(2) of its nsfs file tells it. Inode numbers are 32 bits wide in the kernel
// (struct ns_common::inum) and are dealt again after a namespace's end.
struct NamespaceId {
  dev_t device = 0;
  uint32_t inode = 0;

  friend bool operator==(const NamespaceId&, const NamespaceId&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const NamespaceId&, const NamespaceId&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const NamespaceId& id) {
    return H::combine(std::move(h), id.device, id.inode);
  }
};

// The link text below /proc/PID/ns: "net:[4026531840]".
std::string NamespaceLinkText(NamespaceType type, uint32_t inode);

struct NamespaceLink {
  NamespaceType type;
  uint32_t inode;

  friend bool operator==(const NamespaceLink&, const NamespaceLink&) = default;
};

// Inverse of NamespaceLinkText; nullopt for any other text (unknown type, sign, leading zero, more
// than 32 bits, trailing bytes). Allocates nothing.
std::optional<NamespaceLink> ParseNamespaceLinkText(absl::string_view text);

// A process (thread group) and a thread, as numbers of one PID namespace.
struct Pid {
  pid_t value = 0;
  friend bool operator==(const Pid&, const Pid&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const Pid&, const Pid&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Pid& pid) {
    return H::combine(std::move(h), pid.value);
  }
};
struct Tid {
  pid_t value = 0;
  friend bool operator==(const Tid&, const Tid&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees one in <=>.
  friend auto operator<=>(const Tid&, const Tid&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Tid& tid) {
    return H::combine(std::move(h), tid.value);
  }
};

}  // namespace nsctl::base

#endif  // NSCTL_BASE_NAMESPACE_TYPE_H_
