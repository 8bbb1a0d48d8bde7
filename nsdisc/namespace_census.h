// The kernel's own lists of namespaces: those in which no process is and which nothing visible
// holds are in them too.

#ifndef NSCTL_NSDISC_NAMESPACE_CENSUS_H_
#define NSCTL_NSDISC_NAMESPACE_CENSUS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"

namespace nsctl::nsdisc {

struct ListedNamespace {
  base::NamespaceType type;
  uint64_t kernel_id = 0;
  // 0 where the list does not tell it.
  uint32_t inode = 0;

  friend bool operator==(const ListedNamespace&, const ListedNamespace&) = default;
};

class NamespaceCensus {
 public:
  virtual ~NamespaceCensus() = default;

  // All mount namespaces (Linux 6.12), by id. Errors: EPERM outside of the initial PID namespace or
  // without CAP_SYS_ADMIN in the initial user namespace; ENOTTY on earlier kernels.
  virtual absl::StatusOr<std::vector<ListedNamespace>> ListMountNamespaces() = 0;

  // All namespaces (Linux 6.19), by type as listed in NamespaceType, then by id. Errors: EPERM as
  // above, where the kernel would list the caller's own alone; ENOSYS on earlier kernels.
  virtual absl::StatusOr<std::vector<ListedNamespace>> ListAllNamespaces() = 0;
};

// Asks the running kernel. System calls: four for each mount namespace; one for each type and
// thousand namespaces.
class KernelCensus : public NamespaceCensus {
 public:
  absl::StatusOr<std::vector<ListedNamespace>> ListMountNamespaces() override;
  absl::StatusOr<std::vector<ListedNamespace>> ListAllNamespaces() override;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_NAMESPACE_CENSUS_H_
