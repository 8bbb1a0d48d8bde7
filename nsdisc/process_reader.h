// Reads one process, and its threads, of a procfs into the schema.

#ifndef NSCTL_NSDISC_PROCESS_READER_H_
#define NSCTL_NSDISC_PROCESS_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/namespace_type.h"
#include "nsdisc/cgroup_table.h"
#include "nsdisc/fd_reader.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/process.pb.h"
#include "nsdisc/snapshot.pb.h"
#include "nsdisc/users.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// With `all_sets` those that only status has as well.
void SetCapabilities(const procfsroot::StatusFields& status, bool all_sets,
                     Capabilities* capabilities);

// Not thread-safe: one for each worker, which keeps its buffers.
class ProcessReader {
 public:
  struct Options {
    ScanOptions::Threads threads = ScanOptions::loose;
    // Read what AddDetail reads as well.
    bool detail = true;
    // Look at descriptors, but for those of one process; 0: of all.
    bool fds = true;
    int32_t without_fds_of = 0;
    // Read Process.capabilities, and the sets that only status has.
    bool capabilities = false;
    bool all_capability_sets = false;
    // The PID namespace of the procfs; 0 where that is unknown. Spares reading the inner PIDs of
    // the processes in it, which have none.
    uint32_t pid_namespace = 0;
    // May be nullptr. Borrowed.
    const UserNames* users = nullptr;
  };

  // What was left out so far.
  struct Losses {
    GapList gaps;
    uint32_t vanished_processes = 0;
    uint32_t vanished_threads = 0;
    // Threads that were looked at, main ones not among them.
    uint64_t examined_threads = 0;
  };

  // `procfs` and `cgroups` are borrowed. Process.cgroups and Thread.cgroups become numbers of
  // `cgroups`.
  ProcessReader(const procfsroot::Procfs& procfs, CgroupTable* cgroups, Options options)
      : procfs_(procfs),
        cgroups_(cgroups),
        options_(options),
        began_(TicksSinceBoot()),
        fds_(/*measures_time=*/procfs.is_kernel()) {}

  // The process `pid`; nullptr where it is gone, which is counted. What could not be read is a gap
  // and its field absent.
  std::unique_ptr<Process> Read(base::Pid pid);

  // Adds to `process` what is not needed to relate namespaces: command line, cgroups, credentials,
  // pidfd inode, CPU affinity and inner PIDs. Adds nothing where the process is gone.
  void AddDetail(Process* process);

  Losses TakeLosses();

  // What the descriptors of the processes hold that were read since the last call.
  FdFindings TakeFdFindings() { return fds_.TakeFindings(); }

 private:
  static uint64_t TicksSinceBoot();
  bool IsStill(const Process& process, const procfsroot::ProcessDir& dir,
               const procfsroot::StatFields& stat) const;
  bool ReadStat(const procfsroot::ProcessDir& dir, const GapSubject& subject,
                procfsroot::StatFields* fields);
  void ReadDetail(const procfsroot::ProcessDir& dir, Process* process);
  void AskByNumber(Process* process);
  void ReadCommandLine(const procfsroot::ProcessDir& dir, const GapSubject& subject,
                       Process* process);
  void ReadStatus(const procfsroot::ProcessDir& dir, const GapSubject& subject, Process* process);
  void ReadThreads(const procfsroot::ProcessDir& dir, const procfsroot::NamespaceLinks& links,
                   Process* process);
  void ReadThread(const procfsroot::ProcessDir& process_dir, base::Tid tid, bool own_fd_table,
                  Process* process);
  void ReadInnerTids(const procfsroot::ProcessDir& dir, Thread* thread);
  bool AddOrderedPidNamespace(base::Tid tid, bool is_main, procfsroot::NamespaceLinks* links) const;
  template <typename Message>
  void SetNamespaces(const procfsroot::NamespaceLinks& links, const GapSubject& subject,
                     Message* message);
  template <typename Message>
  void ReadCgroups(const procfsroot::ProcessDir& dir, const GapSubject& subject, Message* message);
  void AddGap(const GapSubject& subject, absl::string_view operation, int error,
              absl::string_view consequence);

  const procfsroot::Procfs& procfs_;
  CgroupTable* const cgroups_;
  const Options options_;
  // When this reader was made, in the clock of start times.
  const uint64_t began_;
  Losses losses_;
  FdReader fds_;
  // Reused from process to process. StatFields point into stat_.
  std::string stat_;
  std::string text_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_PROCESS_READER_H_
