// Who a process is, in full: for those who want to be the same. Scans read less (process_files.h).

#ifndef NSCTL_PROCFSROOT_PROCESS_IDENTITY_H_
#define NSCTL_PROCFSROOT_PROCESS_IDENTITY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nsctl::procfsroot {

// proc_pid_status(5). Ids are as the reader's user namespace sees them.
struct ProcessIdentity {
  uid_t effective_uid = 0;
  gid_t effective_gid = 0;
  // Supplementary groups, in the kernel's order.
  std::vector<gid_t> groups;
  // Capability sets, one bit for each number.
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t effective = 0;
  uint64_t bounding = 0;
  uint64_t ambient = 0;
  // 0 none, 1 strict, 2 filter (seccomp(2)).
  int seccomp_mode = 0;

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// INVALID_ARGUMENT, naming the line, for anything that the kernel does not print and where a line
// is missing, but for "Seccomp:".
absl::StatusOr<ProcessIdentity> ParseProcessIdentity(absl::string_view status);

// The id inside of a user namespace for `outside`, by the text of its uid_map or gid_map
// (user_namespaces(7)), whose outer side is what the reader sees. nullopt where it has none.
// INVALID_ARGUMENT, naming the line, for anything that the kernel does not print.
absl::StatusOr<std::optional<uint32_t>> MapIdInside(absl::string_view map, uint32_t outside);

}  // namespace nsctl::procfsroot

#endif  // NSCTL_PROCFSROOT_PROCESS_IDENTITY_H_
