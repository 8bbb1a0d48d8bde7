// Looks things up in a snapshot by their identity.

#ifndef NSCTL_NSDISC_SNAPSHOT_INDEX_H_
#define NSCTL_NSDISC_SNAPSHOT_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "nsdisc/snapshot.pb.h"

namespace nsctl::nsdisc {

// The tables' words and the schema's are the same eight, in two enums.
Namespace::Type ToProto(base::NamespaceType type);
// nullopt for `unspecified` and numbers from a newer schema.
std::optional<base::NamespaceType> FromProto(Namespace::Type type);

// The field of `set` for `type`: the inode, nullopt where absent.
std::optional<uint32_t> NamespaceOf(const NamespaceSet& set, base::NamespaceType type);
void SetNamespaceOf(base::NamespaceType type, uint32_t inode, NamespaceSet* set);
// The same for pid_for_children and time_for_children; nullopt, and nothing set, for other types.
std::optional<uint32_t> ForChildrenOf(const NamespaceSet& set, base::NamespaceType type);
void SetForChildrenOf(base::NamespaceType type, uint32_t inode, NamespaceSet* set);

// Borrows the snapshot, which must outlive the index and stay unchanged and sorted as its schema
// says.
class SnapshotIndex {
 public:
  explicit SnapshotIndex(const Snapshot& snapshot);

  // nullptr where the snapshot has none. O(log n).
  const Namespace* FindNamespace(base::NamespaceType type, uint32_t inode) const;
  const Process* FindProcess(int32_t pid) const;
  // The process that has the thread `tid`, which is no main thread and is listed in it.
  const Process* ProcessOfThread(int32_t tid) const;

  // The process that best stands for the namespace: its ealdorman, else the process of its first
  // loose thread, else the first process it is for the children of. nullptr where there is none.
  const Process* RepresentativeOf(const Namespace& ns) const;

  // The path that says where a process is controlled: unified unless that is absent or "/" while
  // a v1 cpu or name=systemd hierarchy says more. Empty where unknown.
  const std::string& CgroupPathOf(const Process& process) const;

  // Namespaces of the snapshot that `owner` (a user namespace) owns, in the snapshot's order. User
  // namespaces are not among them: they are its children.
  absl::Span<const Namespace* const> OwnedBy(uint32_t owner) const;

  const Snapshot& snapshot() const { return snapshot_; }

 private:
  const Snapshot& snapshot_;
  absl::flat_hash_map<uint32_t, std::vector<const Namespace*>> owned_;
  // By TID.
  std::vector<std::pair<int32_t, const Process*>> threads_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_SNAPSHOT_INDEX_H_
