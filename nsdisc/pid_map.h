// The numbers that processes have in all PID namespaces, and the way back from a number to its
// process.
//
//   const SnapshotIndex index(snapshot);
//   const PidMap pids(index);
//   const Process* process = pids.Find(7, 4026532398);        // 7 of pid:[4026532398] ...
//   for (const PidMap::Number& number : pids.NumbersOf(*process)) { ... }   // ... is 6427/235/7

#ifndef NSCTL_NSDISC_PID_MAP_H_
#define NSCTL_NSDISC_PID_MAP_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {

// Borrows the index, and its snapshot, which must outlive the map.
class PidMap {
 public:
  struct Number {
    int32_t pid;
    // Absent where the numbers do not agree with the parents of the process's PID namespace, which
    // then may be unknown.
    std::optional<uint32_t> pid_namespace;

    friend bool operator==(const Number&, const Number&) = default;
  };

  explicit PidMap(const SnapshotIndex& index);

  // Inode of the PID namespace of the procfs that was scanned, whose numbers Process.pid are;
  // nullopt where the snapshot does not tell.
  std::optional<uint32_t> scanned_namespace() const { return scanned_; }

  // Inode of the PID namespace that `process` is in: what its link says, and where that could not
  // be read what its numbers say (NSpid of proc_pid_status(5), which everybody may read). nullopt
  // where neither tells.
  std::optional<uint32_t> NamespaceOf(const Process& process) const;

  // The numbers of `process`, from the scanned namespace's, which is Process.pid, to that of its
  // own namespace. Only the first where the snapshot was taken without the others.
  std::vector<Number> NumbersOf(const Process& process) const;

  // The process whose number in `pid_namespace` is `pid`; nullptr where there is none.
  const Process* Find(int32_t pid, uint32_t pid_namespace) const;

 private:
  bool KnowsNumbersOf(const Process& process) const;
  std::optional<uint32_t> FindScanned() const;

  const SnapshotIndex& index_;
  // PIDs of processes whose status could not be read.
  absl::flat_hash_set<int32_t> without_status_;
  std::optional<uint32_t> scanned_;
  // By namespace and number; of those in inner namespaces.
  absl::flat_hash_map<std::pair<uint32_t, int32_t>, const Process*> inner_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_PID_MAP_H_
