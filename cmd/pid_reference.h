// Processes as users name them in any PID namespace: "1234", "7@pid:[4026532398]"; or as what a
// container began with: "container:web".

#ifndef NSCTL_CMD_PID_REFERENCE_H_
#define NSCTL_CMD_PID_REFERENCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/namespace_type.h"
#include "cmd/target.h"
#include "nsdisc/pid_map.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::cmd {

struct PidReference {
  base::Pid pid;
  // The PID namespace whose number it is; absent: the one that was scanned.
  std::optional<uint32_t> pid_namespace = std::nullopt;
  // Only the process whose pidfd has this inode number.
  std::optional<uint64_t> pidfd_inode = std::nullopt;
  // The initial process of this container; nothing else is looked at then.
  std::optional<Target> container = std::nullopt;

  friend bool operator==(const PidReference&, const PidReference&) = default;
};

// "7", "pid:7", "7:INODE"; and with the namespace whose number it is after it "7@pid:[INODE]",
// "7@pid:INODE", "7@INODE"; a container as a TARGET. Errors: UsageError.
absl::StatusOr<PidReference> ParsePidReference(absl::string_view word);

// The references in lists that commas separate. Errors: as above.
absl::StatusOr<std::vector<PidReference>> ParsePidReferences(const std::vector<std::string>& lists);

// Whether engines are to be asked, since one of them names a container.
bool NameContainer(const std::vector<PidReference>& references);

// As it is spelled: "7@pid:[4026532398]".
std::string ToString(const PidReference& reference);

// A namespace; without a type the one of any type that has the inode number, of which there is one
// at a time.
struct NamespaceReference {
  std::optional<base::NamespaceType> type;
  uint32_t inode;

  friend bool operator==(const NamespaceReference&, const NamespaceReference&) = default;
};

// "net:[4026531840]", "net:4026531840", "4026531840". Errors: UsageError.
absl::StatusOr<NamespaceReference> ParseNamespaceReference(absl::string_view word);

// Errors: NOT_FOUND where the snapshot has no such process, or no such PID namespace, or another
// process has the number by now; those of FindPlaceIn (target_in_snapshot.h) for a container.
absl::StatusOr<const nsdisc::Process*> FindProcess(const PidReference& reference,
                                                   const nsdisc::SnapshotIndex& index,
                                                   const nsdisc::PidMap& pids);

// Errors: NOT_FOUND where the snapshot has none.
absl::StatusOr<const nsdisc::Namespace*> FindNamespace(const NamespaceReference& reference,
                                                       const nsdisc::SnapshotIndex& index);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_PID_REFERENCE_H_
