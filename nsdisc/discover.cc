#include "nsdisc/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/version.h"
#include "base/worker_pool.h"
#include "nsdisc/cgroup_table.h"
#include "nsdisc/cgroup_view.h"
#include "nsdisc/freezer.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/hidden_processes.h"
#include "nsdisc/holder_scan.h"
#include "nsdisc/namespace_details.h"
#include "nsdisc/namespace_table.h"
#include "nsdisc/process_reader.h"
#include "nsdisc/snapshot_index.h"
#include "nsdisc/snapshot_io.h"
#include "procfsroot/process_files.h"

namespace nsctl::nsdisc {
namespace {

using procfsroot::Procfs;

// Small enough that the last piece does not leave the other workers idle for long.
constexpr size_t kProcessesPerPiece = 32;
constexpr size_t kMaxSmallFile = 4096;
constexpr size_t kMaxMountinfo = 64 << 20;

// One file of one line, or nothing.
std::string ReadLine(base::FdRef dir, const std::string& path) {
  const absl::StatusOr<std::string> text = base::ReadFileAt(dir, path, kMaxSmallFile);
  return text.ok() ? base::EncodeText(absl::StripAsciiWhitespace(*text)) : "";
}

// A recorded tree tells of the host it was recorded on, so the running kernel is asked only where
// the procfs is its own.
void FillHost(const Procfs& procfs, Host* host) {
  host->set_hostname(ReadLine(procfs.fd(), "sys/kernel/hostname"));
  host->set_kernel_release(ReadLine(procfs.fd(), "sys/kernel/osrelease"));
  host->set_boot_id(ReadLine(procfs.fd(), "sys/kernel/random/boot_id"));
  uint32_t last_capability = 0;
  if (absl::SimpleAtoi(ReadLine(procfs.fd(), "sys/kernel/cap_last_cap"), &last_capability)) {
    host->set_last_capability(last_capability);
  }
  if (!procfs.is_kernel()) return;
  struct utsname name;
  if (uname(&name) == 0) host->set_machine(base::EncodeText(name.machine));
  host->set_ticks_per_second(static_cast<uint32_t>(sysconf(_SC_CLK_TCK)));
  host->set_cpus_online(ReadLine(base::FdRef(AT_FDCWD), "/sys/devices/system/cpu/online"));
}

// This process, where the procfs shows it.
void FillScanner(const Procfs& procfs, Scanner* scanner) {
  const absl::StatusOr<procfsroot::ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return;
  std::string text;
  if (self->TryReadRecord("stat", procfsroot::kMaxStat, &text) != 0) return;
  const absl::StatusOr<procfsroot::StatFields> stat = procfsroot::ParseStat(text);
  if (!stat.ok()) return;
  scanner->set_pid(stat->pid.value);
  const procfsroot::NamespaceLinks links = self->ReadNamespaceLinks();
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const procfsroot::NamespaceLinks::Entry& in = links.in[static_cast<size_t>(info.type)];
    if (in.error == 0) SetNamespaceOf(info.type, in.inode, scanner->mutable_namespaces());
  }
  if (self->TryReadRecord("status", procfsroot::kMaxStatus, &text) != 0) return;
  const absl::StatusOr<procfsroot::StatusFields> status = procfsroot::ParseStatus(text);
  if (!status.ok()) return;
  scanner->set_uid(status->effective_uid);
  SetCapabilities(*status, /*all_sets=*/true, scanner->mutable_capabilities());
}

int64_t ProcessCpuNanoseconds() {
  struct timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// One discovery: what its steps share.
class Scan {
 public:
  Scan(const Procfs& procfs, const Questions& questions, const DiscoverOptions& options,
       const Scanner& scanner)
      : procfs_(procfs),
        options_(options),
        threads_(options.worker_threads > 0 ? options.worker_threads : base::DefaultThreadCount()),
        // Of a procfs of another PID namespace it is not known.
        own_pid_namespace_(procfs.has_own_pids() ? scanner.namespaces().pid() : 0),
        holders_(procfs, questions, HolderOptions(procfs, options, scanner, threads_), &table_) {
    const ProcessReader::Options reader_options{
        .threads = options.threads,
        .detail = options.detail == ProcessDetail::kAll,
        .fds = options.fds,
        .without_fds_of = options.own_fds ? 0 : scanner.pid(),
        .capabilities = options.capabilities != CapabilitySets::kNone,
        .all_capability_sets = options.capabilities == CapabilitySets::kAll,
        .pid_namespace = own_pid_namespace_,
        .users = options.users,
    };
    cgroup_view_ = CgroupView::OfHost(procfs, &gaps_);
    readers_.reserve(threads_);
    for (int i = 0; i < threads_; ++i) readers_.emplace_back(procfs, &cgroups_, reader_options);
  }

  absl::Status Run(Snapshot* snapshot) {
    holders_.ListNamespaces();
    const int64_t start = ProcessCpuNanoseconds();
    NSCTL_RETURN_IF_ERROR(ReadAllProcesses(snapshot));
    FdFindings findings;
    for (ProcessReader& reader : readers_) findings.Merge(reader.TakeFdFindings());
    table_.AddProcesses(snapshot->processes());
    const int64_t cost = ProcessCpuNanoseconds() - start - findings.cpu_nanoseconds;
    if (options_.on_processes != nullptr) TellProcesses(*snapshot, findings);
    holders_.Run(snapshot->processes(), std::move(findings));
    table_.MoveTo(options_.types, snapshot->mutable_namespaces());
    {
      // Roots of mounts of hierarchies are relative as paths are.
      const CgroupView::Visit visit(cgroup_view_);
      mountinfo_ = ReadOwnMountinfo();
    }
    if (HidesProcesses(procfs_, mountinfo_)) {
      gaps_.Add({}, "mount option hidepid", EPERM, "processes of other users are hidden");
    }
    if (own_pid_namespace_ != 0 &&
        own_pid_namespace_ != base::InfoOf(base::NamespaceType::kPid).initial_inode) {
      gaps_.Add({}, "list processes", EPERM, "processes outside of this PID namespace are hidden");
    }
    AddDetailsOfNamespaces(snapshot);
    if (options_.detail == ProcessDetail::kRepresentatives) ReadRepresentatives(snapshot);
    TakeReaderLosses(snapshot->mutable_statistics());
    std::optional<uint64_t> examined_threads;
    if (options_.threads != ScanOptions::none) examined_threads = examined_threads_;
    holders_.ReportProcesses(snapshot->processes_size(), examined_threads, cost);
    holders_.TakeResult(snapshot->mutable_statistics(), &gaps_);
    PlaceCgroups(snapshot);
    holders_.TakeMounts(snapshot->mutable_mounts());
    gaps_.MoveTo(snapshot->mutable_gaps());
    return absl::OkStatus();
  }

 private:
  absl::Status ReadAllProcesses(Snapshot* snapshot) {
    NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, procfs_.ListProcesses());
    std::vector<std::unique_ptr<Process>> processes(pids.size());
    ScanProgress* const progress = options_.progress;
    if (progress != nullptr) progress->Begin(ScanProgress::Step::kProcesses, pids.size());
    ForEachInParallel(pids.size(), [&](ProcessReader& reader, size_t i) {
      processes[i] = reader.Read(pids[i]);
      if (progress != nullptr) progress->Advance();
    });
    snapshot->mutable_processes()->Reserve(static_cast<int>(processes.size()));
    for (std::unique_ptr<Process>& process : processes) {
      if (process != nullptr) snapshot->mutable_processes()->AddAllocated(process.release());
    }
    return absl::OkStatus();
  }

  void TellProcesses(const Snapshot& snapshot, const FdFindings& findings) const {
    ProcessReadings read{
        .processes = snapshot.processes(), .cgroups = cgroups_.Texts(), .without_sockets = {}};
    if (options_.fds) {
      absl::flat_hash_set<pid_t> others(findings.unread.begin(), findings.unread.end());
      for (const FdFindings::Socket& socket : findings.sockets) others.insert(socket.place.pid);
      for (const Process& process : snapshot.processes()) {
        if (!others.contains(process.pid())) read.without_sockets.push_back(process.pid());
      }
    }
    options_.on_processes(read);
  }

  void AddDetailsOfNamespaces(Snapshot* snapshot) {
    const SnapshotIndex index(*snapshot);
    for (Namespace& ns : *snapshot->mutable_namespaces()) {
      const Process* process = FindTeller(index, ns);
      if (process != nullptr) AddNamespaceDetails(procfs_, *process, &ns, &gaps_);
    }
  }

  // The process whose files tell the namespace's details. Those of a time namespace are told by the
  // processes whose children will be in it, in which it may have none yet.
  static const Process* FindTeller(const SnapshotIndex& index, const Namespace& ns) {
    if (ns.type() != Namespace::time) {
      return ns.has_ealdorman() ? index.FindProcess(ns.ealdorman()) : nullptr;
    }
    for (const auto* pids : {&ns.leaders(), &ns.for_children_of()}) {
      for (const int32_t pid : *pids) {
        const Process* process = index.FindProcess(pid);
        if (process != nullptr && process->namespaces().time_for_children() == ns.inode()) {
          return process;
        }
      }
    }
    return nullptr;
  }

  // Adds detail to the processes that stand for a namespace.
  void ReadRepresentatives(Snapshot* snapshot) {
    const SnapshotIndex index(*snapshot);
    absl::flat_hash_set<const Process*> chosen;
    for (const Namespace& ns : snapshot->namespaces()) {
      if (const Process* process = index.RepresentativeOf(ns)) chosen.insert(process);
    }
    std::vector<Process*> processes;
    for (Process& process : *snapshot->mutable_processes()) {
      if (chosen.contains(&process)) processes.push_back(&process);
    }
    ForEachInParallel(processes.size(),
                      [&](ProcessReader& reader, size_t i) { reader.AddDetail(processes[i]); });
  }

  void TakeReaderLosses(ScanStatistics* statistics) {
    for (ProcessReader& reader : readers_) {
      ProcessReader::Losses losses = reader.TakeLosses();
      gaps_.Merge(std::move(losses.gaps));
      statistics->set_vanished_processes(statistics->vanished_processes() +
                                         losses.vanished_processes);
      statistics->set_vanished_threads(statistics->vanished_threads() + losses.vanished_threads);
      examined_threads_ += losses.examined_threads;
    }
  }

  // Workers numbered cgroups as they met them: puts them in the schema's order and renumbers.
  void PlaceCgroups(Snapshot* snapshot) {
    std::vector<uint32_t> position;
    std::vector<CgroupTable::Parsed> parsed = cgroups_.Finish(&position);
    const Freezer freezer = Freezer::FromMountinfo(mountinfo_);
    for (CgroupTable::Parsed& one : parsed) {
      if (!one.well_formed) {
        gaps_.Add({.kind = GapSubject::kCgroup, .path = one.text}, "parse cgroup", EBADMSG,
                  "hierarchies are missing");
      }
      AddFrozen(freezer, &one.cgroups);
      *snapshot->add_cgroups() = std::move(one.cgroups);
    }
    for (Process& process : *snapshot->mutable_processes()) {
      if (process.has_cgroups()) process.set_cgroups(position[process.cgroups()]);
      for (Thread& thread : *process.mutable_threads()) {
        if (thread.has_cgroups()) thread.set_cgroups(position[thread.cgroups()]);
      }
    }
  }

  // This program's own mounts; empty where they do not matter or cannot be read.
  std::string ReadOwnMountinfo() const {
    if (!procfs_.is_kernel()) return "";
    const absl::StatusOr<procfsroot::ProcessDir> self = procfs_.OpenSelf();
    if (!self.ok()) return "";
    return self->Read("mountinfo", kMaxMountinfo).value_or("");
  }

  void AddFrozen(const Freezer& freezer, Cgroups* cgroups) {
    const absl::StatusOr<std::optional<bool>> frozen = freezer.IsFrozen(*cgroups);
    if (frozen.ok()) {
      if (frozen->has_value()) cgroups->set_frozen(**frozen);
      return;
    }
    const int error = base::ErrnoOf(frozen.status());
    // A cgroup that is gone, and one outside of what is mounted here, freeze nothing we could tell.
    if (error == 0 || base::IsGone(error)) return;
    gaps_.Add({.kind = GapSubject::kCgroup, .path = cgroups->unified()}, "read freezer state",
              error, "whether its processes are frozen is unknown");
  }

  template <typename Work>
  void ForEachInParallel(size_t size, const Work& work) {
    base::ParallelFor(size, kProcessesPerPiece, static_cast<int>(readers_.size()),
                      [&](size_t begin, size_t end, int worker) {
                        const CgroupView::Visit visit(cgroup_view_);
                        for (size_t i = begin; i < end; ++i) work(readers_[worker], i);
                      });
  }

  static HolderScan::Options HolderOptions(const Procfs& procfs, const DiscoverOptions& options,
                                           const Scanner& scanner, int threads) {
    return {.fds = options.fds,
            .sockets = options.sockets,
            .bind_mounts = options.bind_mounts,
            .mounts = options.mounts,
            .kernel_lists = options.kernel_lists,
            .bpf_census = options.bpf_census,
            .names = options.names,
            .ipc_counts = options.ipc_counts,
            .descriptors_in_flight = options.descriptors_in_flight,
            .own_mount_namespace = scanner.namespaces().mnt(),
            .sees_all_processes =
                procfs.has_own_pids() &&
                scanner.namespaces().pid() == base::InfoOf(base::NamespaceType::kPid).initial_inode,
            .threads = threads,
            .users = options.users,
            .progress = options.progress};
  }

  const Procfs& procfs_;
  const DiscoverOptions& options_;
  const int threads_;
  const uint32_t own_pid_namespace_;
  NamespaceTable table_;
  HolderScan holders_;
  uint64_t examined_threads_ = 0;
  CgroupTable cgroups_;
  std::vector<ProcessReader> readers_;
  CgroupView cgroup_view_;
  std::string mountinfo_;
  GapList gaps_;
};

void SetOptions(const Procfs& procfs, const DiscoverOptions& options, ScanOptions* message) {
  message->set_threads(options.threads);
  message->set_detail(options.detail == ProcessDetail::kAll ? ScanOptions::every_process
                                                            : ScanOptions::representatives);
  message->set_capabilities(options.capabilities != CapabilitySets::kNone);
  message->set_all_capability_sets(options.capabilities == CapabilitySets::kAll);
  for (const base::NamespaceType type : options.types) message->add_types(ToProto(type));
  message->set_mounts(options.mounts);
  if (!procfs.is_live()) message->set_procfs(base::EncodeText(procfs.path()));
}

void SetTotals(Snapshot* snapshot) {
  ScanStatistics* statistics = snapshot->mutable_statistics();
  statistics->set_namespaces(snapshot->namespaces_size());
  statistics->set_processes(snapshot->processes_size());
  uint32_t threads = 0;
  for (const Process& process : snapshot->processes()) threads += process.threads_size();
  statistics->set_threads(threads);
  uint32_t mounts = 0;
  for (const mounttree::MountNamespace& ns : snapshot->mounts()) mounts += ns.mounts_size();
  statistics->set_mounts(mounts);
  statistics->set_gaps(snapshot->gaps_size());
  snapshot->set_complete(true);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Snapshot>> Discover(const Procfs& procfs, Lineage& lineage,
                                                   const DiscoverOptions& options) {
  return Discover(procfs, Questions{.lineage = &lineage}, options);
}

absl::StatusOr<std::unique_ptr<Snapshot>> Discover(const Procfs& procfs, const Questions& questions,
                                                   const DiscoverOptions& options) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->set_format(kSnapshotFormat);
  snapshot->set_producer(base::kVersion);
  const absl::Time now = options.now;
  snapshot->mutable_taken_at()->set_seconds(absl::ToUnixSeconds(now));
  snapshot->mutable_taken_at()->set_nanos(static_cast<int32_t>(
      (now - absl::FromUnixSeconds(absl::ToUnixSeconds(now))) / absl::Nanoseconds(1)));
  FillHost(procfs, snapshot->mutable_host());
  SetOptions(procfs, options, snapshot->mutable_options());
  Scanner scanner;
  FillScanner(procfs, &scanner);
  NSCTL_RETURN_IF_ERROR(Scan(procfs, questions, options, scanner).Run(snapshot.get()));
  if (scanner.pid() != 0) *snapshot->mutable_scanner() = scanner;
  SetTotals(snapshot.get());
  return snapshot;
}

}  // namespace nsctl::nsdisc
