// What holds namespaces beside the processes and threads in them, and namespaces that nothing but
// that, or nothing in sight at all, shows: descriptors, sockets, bind mounts, the kernel's lists.

#ifndef NSCTL_NSDISC_HOLDER_SCAN_H_
#define NSCTL_NSDISC_HOLDER_SCAN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "base/namespace_type.h"
#include "mounttree/mount.pb.h"
#include "mounttree/super_block_options.h"
#include "nsdisc/bind_mount_scan.h"
#include "nsdisc/bpf_census.h"
#include "nsdisc/fd_reader.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/mounted_file_fds.h"
#include "nsdisc/namespace_census.h"
#include "nsdisc/namespace_table.h"
#include "nsdisc/questions.h"
#include "nsdisc/scan_progress.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/socket_scan.h"
#include "nsdisc/users.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

class HolderScan {
 public:
  struct Options {
    bool fds = true;
    bool sockets = true;
    bool bind_mounts = true;
    // Keep all mounts, for TakeMounts.
    bool mounts = false;
    bool kernel_lists = true;
    bool bpf_census = false;
    bool names = true;
    bool ipc_counts = false;
    // See in_flight.h.
    bool descriptors_in_flight = false;
    // The scanner's own; 0 where unknown.
    uint32_t own_mount_namespace = 0;
    // The procfs is that of the initial PID namespace.
    bool sees_all_processes = true;
    int threads = 1;
    // May be nullptr. Borrowed.
    const UserNames* users = nullptr;
    ScanProgress* progress = nullptr;
  };

  // All is borrowed.
  HolderScan(const procfsroot::Procfs& procfs, const Questions& questions, Options options,
             NamespaceTable* table);

  // Takes down the kernel's lists. First of all: what comes into being while processes are looked
  // at is then in none of them, and nothing is dark only because it is new.
  void ListNamespaces();

  // Adds what is found to the table, into which `processes` were entered before, traces all of it,
  // and finishes it.
  void Run(const google::protobuf::RepeatedPtrField<Process>& processes, FdFindings findings);

  // What the step before came to, for the reports of the first two sources: how many processes and
  // threads were looked at (threads: nullopt where they were not), and what that cost.
  void ReportProcesses(uint64_t processes, std::optional<uint64_t> threads,
                       int64_t cpu_nanoseconds);

  // The mounts of every mount namespace that is known, by inode; but for those that could not be
  // read, which are gaps, and those that are gone.
  void TakeMounts(google::protobuf::RepeatedPtrField<mounttree::MountNamespace>* mounts);

  // What was looked at and what is missing.
  void TakeResult(ScanStatistics* statistics, GapList* gaps);

 private:
  struct Report {
    SourceReport::State state = SourceReport::off;
    uint64_t examined = 0;
    int64_t cpu_nanoseconds = 0;
  };
  // Adds the processor time of this process from its making to its end to a report.
  class CpuMeter;

  void Begin(ScanProgress::Step step, uint64_t total = 0);
  void AddFds(const google::protobuf::RepeatedPtrField<Process>& processes, FdFindings* findings);
  void AddSockets(FdFindings* findings);
  void AddBindMounts();
  bool AddBindMountsOf(const NamespaceTable::Known& where);
  bool IsOwn(const NamespaceTable::Known& mount_namespace) const;
  std::optional<NamespaceWay> WayTo(const NamespaceTable::Known& where,
                                    const BindMount& mount) const;
  void AddFdsOfMounts(const FdFindings& findings);
  void AddListed(SourceReport::Source source, const std::vector<ListedNamespace>& listed);
  void ListByBpf();
  void LookForNewProcesses(const google::protobuf::RepeatedPtrField<Process>& processes);
  void AddNames();
  void NameByMount(const base::NamespaceLink& target, const std::string& path);
  void TakeList(SourceReport::Source source, absl::StatusOr<std::vector<ListedNamespace>> list,
                const char* operation, const char* consequence,
                std::vector<ListedNamespace>* listed);
  Report& ReportOf(SourceReport::Source source) { return reports_[source]; }

  const procfsroot::Procfs& procfs_;
  const Questions questions_;
  const Options options_;
  NamespaceTable& table_;
  std::vector<ListedNamespace> mount_namespaces_;
  std::vector<ListedNamespace> all_namespaces_;
  std::optional<BpfCensus::Listing> by_bpf_;
  std::array<Report, SourceReport::Source_ARRAYSIZE> reports_;
  MountedFiles mounted_files_;
  // By inode.
  absl::btree_map<uint32_t, std::unique_ptr<mounttree::MountNamespace>> mounts_;
  std::optional<mounttree::SuperBlockOptions> super_blocks_;
  // What may still be kept of long texts of mounts, in all namespaces together: eight that have the
  // most for one.
  size_t mount_text_bytes_ = size_t{128} << 20;
  NamespaceTable::Losses losses_;
  GapList gaps_;
  uint32_t vanished_fds_ = 0;
  uint32_t ended_pidfds_ = 0;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_HOLDER_SCAN_H_
