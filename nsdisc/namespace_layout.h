// Where the running kernel keeps what of a namespace, and how to get to the first one.
//
// Since Linux 6.18 each type of namespace has a list of all that there are, of which each namespace
// is a member (struct ns_common, include/linux/ns_common.h). Only the kernel's own description of
// its types says where in memory that is; it differs from release to release.

#ifndef NSCTL_NSDISC_NAMESPACE_LAYOUT_H_
#define NSCTL_NSDISC_NAMESPACE_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/btf.h"
#include "base/namespace_type.h"

namespace nsctl::nsdisc {

// No more than this much of a namespace is looked at.
inline constexpr uint32_t kMaxNamespaceImage = 512;

// Offsets and sizes in bytes, of struct ns_common but for Start.
struct NamespaceLayout {
  // As much from the start as all that follows takes, in whole words.
  uint32_t image_size = 0;
  // Of the pointer to the next member of the list.
  uint32_t next = 0;
  uint32_t type = 0;
  uint32_t inode = 0;
  uint32_t kernel_id = 0;
  // Of the pointer to the functions of the type.
  uint32_t operations = 0;
  // References of any kind: 0 where it is about to be freed.
  uint32_t references = 0;
  // Linux 6.19: references that count as use. Without one a namespace exists and is out of reach.
  std::optional<uint32_t> active_references = {};

  // The way from a task to its own namespace of a type: a pointer to something that has a pointer
  // to the namespace.
  struct Start {
    base::NamespaceType type;
    // In struct task_struct.
    uint32_t holder = 0;
    // In what that points at.
    uint32_t pointer = 0;
    // Of struct ns_common in the namespace.
    uint32_t common = 0;

    friend bool operator==(const Start&, const Start&) = default;
  };
  // In the order of NamespaceType; a kernel may be built without a type.
  std::vector<Start> starts = {};

  friend bool operator==(const NamespaceLayout&, const NamespaceLayout&) = default;
};

// Errors: UNIMPLEMENTED, naming the first member that is not there, or is not of the size that is
// known, for kernels before 6.18 and for later ones that changed.
absl::StatusOr<NamespaceLayout> FindNamespaceLayout(const base::Btf& btf);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_LAYOUT_H_
