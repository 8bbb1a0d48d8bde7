// Finds every namespace that the processes and threads of a procfs are in, and how they relate.
//
//   NSCTL_ASSIGN_OR_RETURN(Procfs procfs, Procfs::Live());
//   KernelLineage lineage;
//   NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot, Discover(procfs, lineage, {}));
//   for (const Namespace& ns : snapshot->namespaces()) { ... }
//
// A scan does not stop the host: processes start, end and change namespaces while it runs. What it
// reports of one process was true of that process at one time; what vanished is counted, what could
// not be read is a Gap. The result does not depend on the number of threads.

#ifndef NSCTL_NSDISC_DISCOVER_H_
#define NSCTL_NSDISC_DISCOVER_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "nsdisc/lineage.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// How much is read of each process beyond its namespaces, name, parent, state and start time.
enum class ProcessDetail {
  // Command line, cgroups, credentials, pidfd inode, CPU affinity and PIDs in inner namespaces:
  // only
  // of the processes that stand for a namespace (SnapshotIndex::RepresentativeOf). The rest stays
  // in
  // the result without them.
  kRepresentatives,
  // Of every process.
  kAll,
};

struct DiscoverOptions {
  ScanOptions::Threads threads = ScanOptions::loose;
  ProcessDetail detail = ProcessDetail::kAll;
  // Process.capabilities is read of the processes that are read in detail; two more system calls
  // each, of which one has the kernel write out a long file.
  bool capabilities = false;
  // Which namespaces the result lists; empty: all. Relations are followed for all of them.
  std::vector<base::NamespaceType> types;
  // 0: base::DefaultThreadCount().
  int worker_threads = 0;
  // Names for uids; nullptr: none. Borrowed for the call.
  const UserNames* users = nullptr;
  // What the result says about when it was made.
  absl::Time now = absl::Now();
};

// Scans `procfs`. `lineage` answers what link texts cannot: owners, parents and ids.
// Errors: only where the list of processes itself cannot be read; everything else is a gap.
// Costs per process with kRepresentatives: one directory, ten links, stat (about 17 system calls);
// with kAll about 10 more.
absl::StatusOr<std::unique_ptr<Snapshot>> Discover(const procfsroot::Procfs& procfs,
                                                   Lineage& lineage,
                                                   const DiscoverOptions& options);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DISCOVER_H_
