// Owners, parents and ids of namespaces: what no link text tells and only an open namespace
// answers.

#ifndef NSCTL_NSDISC_LINEAGE_H_
#define NSCTL_NSDISC_LINEAGE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsdisc/namespace_way.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// The answer to one question about one namespace: a value, or the errno why there is none.
template <typename T>
struct Answer {
  std::optional<T> value;
  int error = 0;

  friend bool operator==(const Answer&, const Answer&) = default;
};

struct NamespaceFacts {
  base::NamespaceType type;
  base::NamespaceId id;
  // The owning user namespace; for a user namespace its parent. EPERM where that lies outside of
  // the caller's user namespace and its descendants, or there is none.
  Answer<base::NamespaceId> owner = {};
  // user and pid only; for user the same as `owner`.
  Answer<base::NamespaceId> parent = {};
  // user only.
  Answer<uid_t> owner_uid = {};
  // ENOTTY on kernels that have none.
  Answer<uint64_t> kernel_id = {};
  // mnt only: mounts in it beside its root. ENOTTY before Linux 6.12.
  Answer<uint32_t> mount_count = {};

  friend bool operator==(const NamespaceFacts&, const NamespaceFacts&) = default;
};

// Answers for namespaces. The real one asks the kernel; a fake answers from a table.
class Lineage {
 public:
  virtual ~Lineage() = default;

  // Facts on the namespace that `way` leads to and on every namespace upward from it through owners
  // and parents, nearest first, for as long as `is_known` says no. Errors: those of OpenWay. Races:
  // another namespace may be there by now: callers compare the first element's id with the one they
  // wanted.
  virtual absl::StatusOr<std::vector<NamespaceFacts>> Trace(
      const procfsroot::Procfs& procfs, const NamespaceWay& way, const NamespaceTarget& target,
      absl::FunctionRef<bool(base::NamespaceType, base::NamespaceId)> is_known) = 0;
};

// Asks the running kernel (ioctl_nsfs(2)).
class KernelLineage : public Lineage {
 public:
  absl::StatusOr<std::vector<NamespaceFacts>> Trace(
      const procfsroot::Procfs& procfs, const NamespaceWay& way, const NamespaceTarget& target,
      absl::FunctionRef<bool(base::NamespaceType, base::NamespaceId)> is_known) override;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_LINEAGE_H_
