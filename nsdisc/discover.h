// Finds every namespace of a host, what holds it, and how they relate.
//
//   NSCTL_ASSIGN_OR_RETURN(Procfs procfs, Procfs::Live());
//   KernelQuestions kernel;
//   NSCTL_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot, Discover(procfs, kernel.For(procfs),
//   {})); for (const Namespace& ns : snapshot->namespaces()) { ... }
//
// A scan does not stop the host: processes start, end and change namespaces while it runs. What it
// reports of one process was true of that process at one time; what vanished is counted, what could
// not be read is a Gap. The result does not depend on the number of threads.

#ifndef NSCTL_NSDISC_DISCOVER_H_
#define NSCTL_NSDISC_DISCOVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "nsdisc/lineage.h"
#include "nsdisc/process.pb.h"
#include "nsdisc/questions.h"
#include "nsdisc/scan_progress.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// How much is read of each process beyond its namespaces, name, parent, state and start time.
enum class ProcessDetail {
  // Command line, cgroups, credentials, pidfd inode, CPU affinity and PIDs in inner namespaces:
  // only of the processes that stand for a namespace (SnapshotIndex::RepresentativeOf). The rest
  // stays in the result without them.
  kRepresentatives,
  // Of every process.
  kAll,
};

// Which sets of Process.capabilities are read.
enum class CapabilitySets {
  kNone,
  // Effective, permitted and inheritable, by which capabilities are judged: one system call for
  // each process.
  kEffective,
  // Bounding and ambient as well. The one costly file of each process has them.
  kAll,
};

// All processes as a scan read them, before it looks for anything else.
struct ProcessReadings {
  // By PID. Process.cgroups numbers `cgroups`, which are contents of cgroup files (bytes). Of what
  // DiscoverOptions.detail leaves out nothing is there.
  const google::protobuf::RepeatedPtrField<Process>& processes;
  std::vector<std::string> cgroups;
  // PIDs, ascending, of those that have no socket open; none where nobody looked.
  std::vector<int32_t> without_sockets;
};

struct DiscoverOptions {
  ScanOptions::Threads threads = ScanOptions::loose;
  ProcessDetail detail = ProcessDetail::kAll;
  // The mounts of every mount namespace are in the result.
  bool mounts = false;
  // Sources beside processes and threads, each of which can be left out: what holds namespaces by
  // descriptors; the network namespaces of sockets among those; mounts of namespaces' files in all
  // mount namespaces; the kernel's own lists. What only they show is missing then.
  bool fds = true;
  // With what the scanning process has open itself, among that what a caller asks engines by.
  bool own_fds = true;
  bool sockets = true;
  bool bind_mounts = true;
  bool kernel_lists = true;
  // Also all namespaces as the kernel's memory has them (nsdisc/bpf_census.h): those of every type
  // that nothing in sight holds, on Linux 6.18 and later. Where that cannot be had there is a gap.
  bool bpf_census = false;
  // Host names of UTS namespaces and nsids of network namespaces.
  bool names = true;
  // Namespace.ipc_counts.
  bool ipc_counts = false;
  // Say where descriptors wait in sockets: four system calls for each socket.
  bool descriptors_in_flight = false;
  // Of the processes that are read in detail.
  CapabilitySets capabilities = CapabilitySets::kNone;
  // Which namespaces the result lists; empty: all. Relations are followed for all of them.
  std::vector<base::NamespaceType> types;
  // 0: base::DefaultThreadCount().
  int worker_threads = 0;
  // Names for uids; nullptr: none. Borrowed for the call.
  const UserNames* users = nullptr;
  // Told how far the scan is; nullptr: nobody is. Borrowed for the call.
  ScanProgress* progress = nullptr;
  // Called once in the calling thread, so that who needs the processes as well need not read them
  // again; null: nobody does.
  std::function<void(const ProcessReadings&)> on_processes;
  // What the result says about when it was made.
  absl::Time now = absl::Now();
};

// Scans `procfs`. `questions` answer what link texts cannot: owners, parents, ids, sockets, lists.
// Errors: only where the list of processes itself cannot be read; everything else is a gap.
// Costs per process with kRepresentatives: two directories, ten links and one for each descriptor,
// stat (about 22 system calls); with kAll about 10 more. See also SourceReport.
absl::StatusOr<std::unique_ptr<Snapshot>> Discover(const procfsroot::Procfs& procfs,
                                                   const Questions& questions,
                                                   const DiscoverOptions& options);

// The same where there is nothing to ask but `lineage`.
absl::StatusOr<std::unique_ptr<Snapshot>> Discover(const procfsroot::Procfs& procfs,
                                                   Lineage& lineage,
                                                   const DiscoverOptions& options);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DISCOVER_H_
