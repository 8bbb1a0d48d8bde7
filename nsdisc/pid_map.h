// Numbers of the same process in different PID namespaces.
//
//   const PidMap map(index);
//   map.Translate(235, container, host)  // -> 6427
//
// Works on a snapshot, and so tells what was so when it was taken. For a process that is alive,
// base::PidInPidNamespace and base::PidFromPidNamespace (nsfs.h) ask the kernel (Linux 6.11).

#ifndef NSCTL_NSDISC_PID_MAP_H_
#define NSCTL_NSDISC_PID_MAP_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nsdisc/process.pb.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {

class PidMap {
 public:
  // Borrows the snapshot of `index`. Processes of which the snapshot does not have the inner PIDs
  // (ScanOptions.detail), or whose PID namespaces' parents are not known as far up, have their
  // outer number alone.
  explicit PidMap(const SnapshotIndex& index);

  struct Number {
    // Inode of the PID namespace.
    uint32_t pid_namespace = 0;
    int32_t pid = 0;
    friend bool operator==(const Number&, const Number&) = default;
  };
  // All numbers of the process that the snapshot calls `pid`, from the scanned procfs's PID
  // namespace, which comes first, downward to its own. Empty where there is no such process.
  std::vector<Number> NumbersOf(int32_t pid) const;

  // What `pid` of the namespace `from` is called in `to`. nullopt where `from` has no such process
  // or it has no number in `to`.
  std::optional<int32_t> Translate(int32_t pid, uint32_t from, uint32_t to) const;

  // The snapshot's own number of the process that is `pid` in the namespace `from`.
  std::optional<int32_t> Find(int32_t pid, uint32_t from) const;

 private:
  const SnapshotIndex& index_;
  // (namespace, number there) -> the snapshot's number.
  absl::flat_hash_map<std::pair<uint32_t, int32_t>, int32_t> outer_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_PID_MAP_H_
