// listns(2): every namespace that the kernel knows and the caller may see, processes or none.

#ifndef NSCTL_BASE_LISTNS_H_
#define NSCTL_BASE_LISTNS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace nsctl::base {

struct NamespaceFilter {
  // CLONE_NEW* flags of the types wanted; 0 for all.
  uint32_t clone_flags = 0;
  // Only namespaces owned by the user namespace with this kernel id (abi::kListnsCurrentUser for
  // the caller's own).
  std::optional<uint64_t> owner_kernel_id = std::nullopt;
};

// The kernel ids (nsfs.h: KernelIdOf) of all active namespaces that pass `filter`, ascending. The
// ids do not tell the type: ask for one type at a time where it matters, or open them by handle
// (nsfs_handle.h).
//
// What the caller may not see is left out in silence: without CAP_SYS_ADMIN in the initial user
// namespace, or outside of the initial PID namespace, only its own namespaces are listed.
//
// Errors: ENOSYS before Linux 6.19; EOPNOTSUPP for a flag that the kernel does not know; EINVAL
// where there is no user namespace with the id given; RESOURCE_EXHAUSTED for more than `limit`.
// Races: as for CollectIds (collect_ids.h).
// Source: kernel/nstree.c.
absl::StatusOr<std::vector<uint64_t>> ListNamespaces(const NamespaceFilter& filter, size_t limit);

}  // namespace nsctl::base

#endif  // NSCTL_BASE_LISTNS_H_
