#include "nsdisc/process_reader.h"

#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/capget.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/nsfs.h"
#include "base/pidfd.h"
#include "base/text.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using procfsroot::NamespaceLinks;
using procfsroot::ProcessDir;
using procfsroot::StatFields;

void SetScheduling(const StatFields& stat, Scheduling* scheduling) {
  scheduling->set_policy(static_cast<Scheduling::Policy>(stat.policy));
  scheduling->set_realtime_priority(stat.realtime_priority);
  scheduling->set_nice(stat.nice);
}

// The kernel's list format: "0-3,8".
std::string CpuListText(const cpu_set_t& cpus) {
  std::string text;
  // Few hosts have as many as the set has room for.
  int left = CPU_COUNT(&cpus);
  for (int cpu = 0; left > 0; ++cpu) {
    if (!CPU_ISSET(cpu, &cpus)) continue;
    const int first = cpu;
    while (--left > 0 && CPU_ISSET(cpu + 1, &cpus)) ++cpu;
    absl::StrAppend(&text, text.empty() ? "" : ",", first);
    if (cpu != first) absl::StrAppend(&text, "-", cpu);
  }
  return text;
}

// Valid only while `tid` is known to be the thread that was meant: callers read its stat afterwards
// through a directory that was open before.
std::string ReadAffinity(pid_t tid) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(tid, sizeof(cpus), &cpus) != 0) return "";
  return CpuListText(cpus);
}

constexpr size_t kMaxTablesCompared = 16;

constexpr auto kPidIndex = static_cast<size_t>(base::NamespaceType::kPid);

// True where a PID namespace was made for the next children and has none yet, as far as links tell.
// A zombie has no such link either, and few others.
bool AwaitsFirstChild(const NamespaceLinks& links) {
  constexpr auto kUts = static_cast<size_t>(base::NamespaceType::kUts);
  return links.for_children[kPidIndex].error == ENOENT && links.in[kPidIndex].error == 0 &&
         links.in[kUts].error == 0;
}

// True where a thread is in another namespace than its process, or its children will be.
bool HasLeft(const NamespaceLinks& process, const NamespaceLinks& thread) {
  if (AwaitsFirstChild(thread)) return true;
  for (size_t i = 0; i < base::kNamespaceTypeCount; ++i) {
    const bool differs = thread.in[i].error == 0 && thread.in[i] != process.in[i];
    const bool children_differ =
        thread.for_children[i].error == 0 && thread.for_children[i] != process.for_children[i];
    if (differs || children_differ) return true;
  }
  return false;
}

// What is before the consequence.
absl::string_view WhyNotOpened(int error) {
  if (error == EXDEV) return "something is mounted over it: ";
  if (error == ETIMEDOUT) return "it waits for a file server while reading of it waits for it: ";
  return "";
}

}  // namespace

void SetCapabilities(const procfsroot::StatusFields& status, bool all_sets,
                     Capabilities* capabilities) {
  capabilities->set_effective(status.effective_capabilities);
  capabilities->set_permitted(status.permitted_capabilities);
  capabilities->set_inheritable(status.inheritable_capabilities);
  if (!all_sets) return;
  capabilities->set_bounding(status.bounding_capabilities);
  capabilities->set_ambient(status.ambient_capabilities);
  if (status.no_new_privileges.has_value()) {
    capabilities->set_no_new_privileges(*status.no_new_privileges);
  }
}

std::unique_ptr<Process> ProcessReader::Read(base::Pid pid) {
  const GapSubject subject{.kind = GapSubject::kProcess,
                           .number = static_cast<uint64_t>(pid.value)};
  const absl::StatusOr<ProcessDir> dir = procfs_.OpenProcess(pid);
  if (!dir.ok() && base::IsGone(dir.status())) {
    ++losses_.vanished_processes;
    return nullptr;
  }
  auto process = std::make_unique<Process>();
  process->set_pid(pid.value);
  if (!dir.ok()) {
    // hidepid=1 lists processes that it does not let open.
    const int error = base::ErrnoOf(dir.status());
    losses_.gaps.Add(subject, "open", error,
                     absl::StrCat(WhyNotOpened(error), "nothing but its number is known"));
    process->set_namespaces_error(base::ErrnoName(error));
    return process;
  }
  NamespaceLinks links = dir->ReadNamespaceLinks();
  const bool awaits_child = AddOrderedPidNamespace({pid.value}, /*is_main=*/true, &links);
  process->mutable_namespaces()->set_awaits_first_child(awaits_child);
  SetNamespaces(links, subject, process.get());
  if (options_.detail) ReadDetail(*dir, process.get());
  if (options_.fds && pid.value != options_.without_fds_of) fds_.Read(*dir, pid, {});
  // Read last: while the directory still answers, the process is there and the number its own, so
  // that what was asked by number above was about it.
  StatFields stat;
  if (!ReadStat(*dir, subject, &stat)) {
    ++losses_.vanished_processes;
    return nullptr;
  }
  process->set_name(base::EncodeText(stat.name));
  process->set_parent_pid(stat.parent.value);
  process->set_start_time(stat.start_time);
  process->set_state(std::string(1, stat.state));
  process->set_kernel_thread(stat.kernel_thread);
  process->set_thread_count(stat.thread_count);
  SetScheduling(stat, process->mutable_scheduling());
  if (options_.threads != ScanOptions::none && stat.thread_count > 1) {
    ReadThreads(*dir, links, process.get());
  }
  return process;
}

void ProcessReader::AddDetail(Process* process) {
  const absl::StatusOr<ProcessDir> dir = procfs_.OpenProcess({process->pid()});
  if (!dir.ok()) return;
  Process detail;
  detail.set_pid(process->pid());
  *detail.mutable_namespaces() = process->namespaces();
  ReadDetail(*dir, &detail);
  detail.clear_pid();
  detail.clear_namespaces();
  if (dir->TryReadRecord("stat", procfsroot::kMaxStat, &stat_) != 0) return;
  const absl::StatusOr<StatFields> stat = procfsroot::ParseStat(stat_);
  if (!stat.ok() || !IsStill(*process, *dir, *stat)) return;
  process->MergeFrom(detail);
}

uint64_t ProcessReader::TicksSinceBoot() {
  struct timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return static_cast<uint64_t>(now.tv_sec) * per_second +
         static_cast<uint64_t>(now.tv_nsec) * per_second / 1'000'000'000;
}

// Whether `dir` and `stat` are of the process that was read, whose number may have been dealt again
// since: to one that started later, so at another time, but where both started within the tick
// that the scan began in or after it. Then all that is known of both must agree.
bool ProcessReader::IsStill(const Process& process, const ProcessDir& dir,
                            const StatFields& stat) const {
  if (stat.start_time != process.start_time()) return false;
  if (stat.start_time < began_) return true;
  if (base::EncodeText(stat.name) != process.name() || stat.parent.value != process.parent_pid()) {
    return false;
  }
  const NamespaceLinks links = dir.ReadNamespaceLinks();
  return absl::c_all_of(base::kNamespaceTypes, [&](const base::NamespaceTypeInfo& info) {
    const auto& link = links.in[static_cast<size_t>(info.type)];
    return link.error != 0 || NamespaceOf(process.namespaces(), info.type) == link.inode;
  });
}

ProcessReader::Losses ProcessReader::TakeLosses() { return std::exchange(losses_, {}); }

// False where the process or thread is gone. A stat that is there and cannot be read or parsed
// is a gap and leaves the fields as they are.
bool ProcessReader::ReadStat(const ProcessDir& dir, const GapSubject& subject, StatFields* fields) {
  const int error = dir.TryReadRecord("stat", procfsroot::kMaxStat, &stat_);
  if (base::IsGone(error)) return false;
  const absl::StatusOr<StatFields> stat = procfsroot::ParseStat(stat_);
  if (error == 0 && stat.ok()) {
    *fields = *stat;
  } else {
    losses_.gaps.Add(subject, "read stat", error != 0 ? error : EBADMSG,
                     "its name, parent and start time are unknown");
  }
  return true;
}

void ProcessReader::ReadDetail(const ProcessDir& dir, Process* process) {
  const GapSubject subject{.kind = GapSubject::kProcess,
                           .number = static_cast<uint64_t>(process->pid())};
  if (procfs_.has_own_pids()) AskByNumber(process);
  ReadCommandLine(dir, subject, process);
  ReadCgroups(dir, subject, process);
  const bool may_have_inner_pids =
      !process->namespaces().has_pid() || process->namespaces().pid() != options_.pid_namespace;
  const bool lacks_capabilities =
      options_.all_capability_sets || (options_.capabilities && !process->has_capabilities());
  if (!process->has_uid() || may_have_inner_pids || lacks_capabilities) {
    ReadStatus(dir, subject, process);
  }
  if (options_.users == nullptr || !process->has_uid()) return;
  const auto name = options_.users->find(process->uid());
  if (name != options_.users->end()) process->set_user(base::EncodeText(name->second));
}

// What only a number of our own PID namespace gives. Kernels before 6.13 leave the uid to
// ReadStatus.
void ProcessReader::AskByNumber(Process* process) {
  process->mutable_scheduling()->set_cpus_allowed(ReadAffinity(process->pid()));
  const absl::StatusOr<base::OwnedFd> pidfd = base::OpenPidfd({process->pid()});
  if (!pidfd.ok()) return;
  const absl::StatusOr<std::optional<uint64_t>> inode = base::PidfdInodeOf(*pidfd);
  if (inode.ok() && inode->has_value()) process->set_pidfd_inode(**inode);
  const absl::StatusOr<base::PidfdInfo> info = base::PidfdInfoOf(*pidfd);
  if (info.ok()) process->set_uid(info->effective_uid);
  if (!options_.capabilities || options_.all_capability_sets) return;
  const absl::StatusOr<base::CapabilityMasks> masks = base::CapabilityMasksOf({process->pid()});
  if (!masks.ok()) return;
  Capabilities* const capabilities = process->mutable_capabilities();
  capabilities->set_effective(masks->effective);
  capabilities->set_permitted(masks->permitted);
  capabilities->set_inheritable(masks->inheritable);
}

void ProcessReader::ReadCommandLine(const ProcessDir& dir, const GapSubject& subject,
                                    Process* process) {
  const int error = dir.TryReadRecord("cmdline", procfsroot::kMaxCommandLine, &text_);
  if (error != 0 && error != EFBIG) {
    AddGap(subject, "read cmdline", error, "its command line is unknown");
    return;
  }
  procfsroot::ForEachArgument(text_, [&](absl::string_view argument) {
    base::AppendEncodedText(argument, process->add_command_line());
  });
}

template <typename Message>
void ProcessReader::ReadCgroups(const ProcessDir& dir, const GapSubject& subject,
                                Message* message) {
  const int error = dir.TryReadRecord("cgroup", procfsroot::kMaxCgroup, &text_);
  if (error != 0) {
    AddGap(subject, "read cgroup", error, "its cgroups are unknown");
    return;
  }
  message->set_cgroups(cgroups_->Intern(text_));
}

// The one costly file, so it is read only for what nothing cheaper has: the uid where pidfds do not
// tell it, and the inner PIDs of processes outside of the procfs's own PID namespace.
void ProcessReader::ReadStatus(const ProcessDir& dir, const GapSubject& subject, Process* process) {
  const int error = dir.TryReadRecord("status", procfsroot::kMaxStatus, &text_);
  const absl::StatusOr<procfsroot::StatusFields> status = procfsroot::ParseStatus(text_);
  if (error != 0 || !status.ok()) {
    AddGap(subject, "read status", error != 0 ? error : EBADMSG,
           options_.capabilities ? "its user, inner PIDs and capabilities are unknown"
                                 : "its user and inner PIDs are unknown");
    return;
  }
  process->set_uid(status->effective_uid);
  if (options_.capabilities) {
    SetCapabilities(*status, options_.all_capability_sets, process->mutable_capabilities());
  }
  std::vector<base::Pid> pids;
  const bool well_formed = procfsroot::ForEachNamespacedPid(
      status->namespaced_pids, [&](base::Pid pid) { pids.push_back(pid); });
  if (!well_formed || pids.size() < 2) return;
  for (const base::Pid pid : pids) process->add_namespaced_pids(pid.value);
}

void ProcessReader::ReadThreads(const ProcessDir& dir, const NamespaceLinks& links,
                                Process* process) {
  const absl::StatusOr<std::vector<base::Tid>> threads = dir.ListThreads();
  if (!threads.ok()) {
    AddGap({.kind = GapSubject::kProcess, .number = static_cast<uint64_t>(process->pid())},
           "getdents64 task", base::ErrnoOf(threads.status()),
           "the namespaces of its threads are unknown");
    return;
  }
  // Threads with tables of descriptors of their own; compared with as long as they are few.
  std::vector<base::Tid> tables;
  for (const base::Tid tid : *threads) {
    if (tid.value == process->pid()) continue;
    ++losses_.examined_threads;
    const bool own_fd_table = options_.fds && fds_.HasOwnTable(dir, {process->pid()}, tid, tables,
                                                               procfs_.has_own_pids());
    if (own_fd_table && tables.size() < kMaxTablesCompared) tables.push_back(tid);
    if (options_.threads == ScanOptions::all || own_fd_table ||
        HasLeft(links, dir.ReadThreadNamespaceLinks(tid))) {
      ReadThread(dir, tid, own_fd_table, process);
    }
  }
}

// Adds where the next children of the thread will be if unshare(2) has made that and no child is
// there yet: the link is ENOENT then, and a pidfd tells. False where that is not so or cannot be
// told.
bool ProcessReader::AddOrderedPidNamespace(base::Tid tid, bool is_main,
                                           NamespaceLinks* links) const {
  if (!AwaitsFirstChild(*links) || !procfs_.has_own_pids()) return false;
  const absl::StatusOr<base::OwnedFd> pidfd =
      is_main ? base::OpenPidfd({tid.value}) : base::OpenThreadPidfd(tid);
  if (!pidfd.ok()) return false;
  const absl::StatusOr<base::OwnedFd> ns =
      base::OpenNamespaceForChildrenOf(*pidfd, base::NamespaceType::kPid);
  if (!ns.ok()) return false;
  const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*ns);
  if (!id.ok()) return false;
  links->for_children[kPidIndex] = {.inode = id->inode, .error = 0};
  return true;
}

void ProcessReader::ReadThread(const ProcessDir& process_dir, base::Tid tid, bool own_fd_table,
                               Process* process) {
  const GapSubject subject{.kind = GapSubject::kThread, .number = static_cast<uint64_t>(tid.value)};
  const absl::StatusOr<ProcessDir> dir = process_dir.OpenThread(tid);
  if (!dir.ok()) {
    ++losses_.vanished_threads;
    return;
  }
  auto thread = std::make_unique<Thread>();
  thread->set_tid(tid.value);
  if (options_.detail) {
    ReadCgroups(*dir, subject, thread.get());
    if (!process->namespaced_pids().empty()) ReadInnerTids(*dir, thread.get());
    if (procfs_.has_own_pids()) {
      thread->mutable_scheduling()->set_cpus_allowed(ReadAffinity(tid.value));
    }
  }
  NamespaceLinks links = dir->ReadNamespaceLinks();
  const bool awaits_child = AddOrderedPidNamespace(tid, /*is_main=*/false, &links);
  thread->mutable_namespaces()->set_awaits_first_child(awaits_child);
  thread->set_own_fd_table(own_fd_table);
  if (own_fd_table) fds_.Read(*dir, {process->pid()}, tid);
  StatFields stat;
  if (!ReadStat(*dir, subject, &stat)) {
    ++losses_.vanished_threads;
    return;
  }
  thread->set_name(base::EncodeText(stat.name));
  thread->set_start_time(stat.start_time);
  SetScheduling(stat, thread->mutable_scheduling());
  SetNamespaces(links, subject, thread.get());
  process->mutable_threads()->AddAllocated(thread.release());
}

void ProcessReader::ReadInnerTids(const ProcessDir& dir, Thread* thread) {
  if (dir.TryReadRecord("status", procfsroot::kMaxStatus, &text_) != 0) return;
  const absl::StatusOr<procfsroot::StatusFields> status = procfsroot::ParseStatus(text_);
  if (!status.ok()) return;
  procfsroot::ForEachNamespacedPid(status->namespaced_pids,
                                   [&](base::Pid pid) { thread->add_namespaced_tids(pid.value); });
}

template <typename Message>
void ProcessReader::SetNamespaces(const NamespaceLinks& links, const GapSubject& subject,
                                  Message* message) {
  NamespaceSet* set = message->mutable_namespaces();
  int refusal = 0;
  uint64_t refusals = 0;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const auto index = static_cast<size_t>(info.type);
    const NamespaceLinks::Entry& in = links.in[index];
    if (in.error == 0) {
      SetNamespaceOf(info.type, in.inode, set);
    } else if (!base::IsGone(in.error)) {
      refusal = in.error;
      ++refusals;
    }
    const NamespaceLinks::Entry& for_children = links.for_children[index];
    if (for_children.error == 0 && for_children.inode != 0) {
      SetForChildrenOf(info.type, for_children.inode, set);
    }
  }
  if (refusals == 0) return;
  message->set_namespaces_error(base::ErrnoName(refusal));
  losses_.gaps.Add(subject, "readlinkat ns", refusal, "its namespaces are unknown", refusals);
}

// A process that is gone is no gap: it is noticed, and counted, by its stat.
void ProcessReader::AddGap(const GapSubject& subject, absl::string_view operation, int error,
                           absl::string_view consequence) {
  if (!base::IsGone(error)) losses_.gaps.Add(subject, operation, error, consequence);
}

}  // namespace nsctl::nsdisc
