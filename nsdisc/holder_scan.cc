#include "nsdisc/holder_scan.h"

#include <errno.h>
#include <time.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/sock_diag.h"
#include "base/text.h"
#include "nsdisc/census_check.h"
#include "nsdisc/detached_file_fds.h"
#include "nsdisc/in_flight.h"
#include "nsdisc/snapshot_index.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using google::protobuf::RepeatedPtrField;
using procfsroot::Procfs;

constexpr char kMissing[] = "namespaces that nothing in sight holds are missing";

int64_t ProcessCpuNanoseconds() {
  struct timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

FdHolder HolderOf(FdHolder::Kind kind, const FdPlace& place) {
  FdHolder holder;
  holder.set_kind(kind);
  holder.set_pid(place.pid);
  if (place.tid != 0) holder.set_tid(place.tid);
  holder.set_fd(place.fd);
  return holder;
}

// In the order of the lists.
bool IsBefore(const FdHolder& a, const FdHolder& b) {
  const auto place = [](const FdHolder& holder) {
    return FdPlace{holder.pid(), holder.tid(), holder.fd()};
  };
  return place(a) < place(b);
}

// The PID namespace of each process and, as pidfds may be of threads, of each thread that is known.
absl::flat_hash_map<int32_t, uint32_t> PidNamespaces(const RepeatedPtrField<Process>& processes) {
  absl::flat_hash_map<int32_t, uint32_t> namespaces;
  for (const Process& process : processes) {
    if (!process.namespaces().has_pid()) continue;
    namespaces.emplace(process.pid(), process.namespaces().pid());
    for (const Thread& thread : process.threads()) {
      namespaces.emplace(thread.tid(), process.namespaces().pid());
    }
  }
  return namespaces;
}

}  // namespace

class HolderScan::CpuMeter {
 public:
  CpuMeter(const Procfs& procfs, Report* report)
      : report_(procfs.is_kernel() ? report : nullptr),
        start_(procfs.is_kernel() ? ProcessCpuNanoseconds() : 0) {}
  CpuMeter(const CpuMeter&) = delete;
  CpuMeter& operator=(const CpuMeter&) = delete;
  ~CpuMeter() {
    if (report_ != nullptr) report_->cpu_nanoseconds += ProcessCpuNanoseconds() - start_;
  }

 private:
  Report* const report_;
  const int64_t start_;
};

HolderScan::HolderScan(const Procfs& procfs, const Questions& questions, Options options,
                       NamespaceTable* table)
    : procfs_(procfs), questions_(questions), options_(options), table_(*table) {}

void HolderScan::ListNamespaces() {
  ListByBpf();
  if (!options_.kernel_lists) return;
  NamespaceCensus* const census = questions_.census;
  const auto unasked = [] { return absl::UnimplementedError("no kernel to ask"); };
  {
    const CpuMeter meter(procfs_, &ReportOf(SourceReport::namespace_list));
    TakeList(SourceReport::namespace_list,
             census != nullptr ? census->ListAllNamespaces() : unasked(), "listns", kMissing,
             &all_namespaces_);
  }
  const CpuMeter meter(procfs_, &ReportOf(SourceReport::mount_namespace_list));
  TakeList(SourceReport::mount_namespace_list,
           census != nullptr ? census->ListMountNamespaces() : unasked(), "ioctl NS_MNT_GET_NEXT",
           kMissing, &mount_namespaces_);
}

// A kernel that has no such list is as it is; one that refuses leaves a gap.
void HolderScan::TakeList(SourceReport::Source source,
                          absl::StatusOr<std::vector<ListedNamespace>> list, const char* operation,
                          const char* consequence, std::vector<ListedNamespace>* listed) {
  Report& report = ReportOf(source);
  if (list.ok()) {
    report.state = SourceReport::used;
    report.examined = list->size();
    *listed = *std::move(list);
    return;
  }
  report.state = SourceReport::unavailable;
  const int error = base::ErrnoOf(list.status());
  if (error == 0 || base::IsUnsupported(error)) return;
  gaps_.Add({}, operation, error, consequence);
}

// It was asked for, so why there is none is told in any case.
void HolderScan::ListByBpf() {
  if (!options_.bpf_census) return;
  Report& report = ReportOf(SourceReport::bpf);
  report.state = SourceReport::unavailable;
  if (questions_.bpf_census == nullptr) {
    gaps_.Add({}, "BPF census", ENOSYS, kMissing);
    return;
  }
  const CpuMeter meter(procfs_, &report);
  absl::StatusOr<BpfCensus::Listing> listing = questions_.bpf_census->List();
  if (!listing.ok()) {
    const CensusFailure failure = DescribeFailure(listing.status());
    gaps_.Add({}, failure.operation, failure.error, kMissing);
    return;
  }
  report.state = SourceReport::used;
  report.examined = listing->namespaces.size();
  by_bpf_ = *std::move(listing);
  if (options_.sees_all_processes) return;
  gaps_.Add({}, "look at processes outside of the PID namespace", EPERM,
            "namespaces that only they hold count as dark");
}

void HolderScan::Run(const RepeatedPtrField<Process>& processes, FdFindings findings) {
  Begin(ScanProgress::Step::kRelations);
  AddFds(processes, &findings);
  {
    const CpuMeter meter(procfs_, &ReportOf(SourceReport::relations));
    ReportOf(SourceReport::relations).state = SourceReport::used;
    table_.Trace(procfs_, *questions_.lineage, options_.users);
  }
  AddSockets(&findings);
  AddListed(SourceReport::mount_namespace_list, mount_namespaces_);
  AddListed(SourceReport::namespace_list, all_namespaces_);
  if (by_bpf_.has_value()) AddListed(SourceReport::bpf, by_bpf_->namespaces);
  AddBindMounts();
  AddFdsOfMounts(findings);
  LookForNewProcesses(processes);
  if (by_bpf_.has_value()) {
    const CpuMeter meter(procfs_, &ReportOf(SourceReport::bpf));
    gaps_.Merge(
        CompareWithCensus(*by_bpf_, *questions_.bpf_census, procfs_, *questions_.lineage, &table_));
  }
  const bool lists_used = absl::c_any_of(
      std::initializer_list<SourceReport::Source>{SourceReport::mount_namespace_list,
                                                  SourceReport::namespace_list, SourceReport::bpf},
      [&](auto source) { return ReportOf(source).state == SourceReport::used; });
  const bool looked_everywhere = options_.fds && options_.sockets && options_.bind_mounts;
  Begin(ScanProgress::Step::kDetails);
  losses_ = table_.Finish(procfs_, lists_used && looked_everywhere);
  if (options_.names || options_.ipc_counts) AddNames();
}

void HolderScan::Begin(ScanProgress::Step step, uint64_t total) {
  if (options_.progress != nullptr) options_.progress->Begin(step, total);
}

void HolderScan::ReportProcesses(uint64_t processes, std::optional<uint64_t> threads,
                                 int64_t cpu_nanoseconds) {
  ReportOf(SourceReport::processes) = {
      .state = SourceReport::used, .examined = processes, .cpu_nanoseconds = cpu_nanoseconds};
  if (!threads.has_value()) return;
  ReportOf(SourceReport::threads) = {.state = SourceReport::used, .examined = *threads};
}

void HolderScan::TakeMounts(google::protobuf::RepeatedPtrField<mounttree::MountNamespace>* mounts) {
  for (auto& [inode, one] : mounts_) mounts->AddAllocated(one.release());
  mounts_.clear();
}

void HolderScan::TakeResult(ScanStatistics* statistics, GapList* gaps) {
  statistics->set_vanished_namespaces(losses_.vanished_namespaces);
  statistics->set_vanished_fds(vanished_fds_);
  statistics->set_ended_pidfds(ended_pidfds_);
  gaps->Merge(std::move(losses_.gaps));
  gaps->Merge(std::move(gaps_));
  for (int source = SourceReport::processes; source <= SourceReport::bpf; ++source) {
    const Report& report = reports_[source];
    SourceReport* message = statistics->add_sources();
    message->set_source(static_cast<SourceReport::Source>(source));
    message->set_state(report.state);
    message->set_examined(report.examined);
    message->set_found(losses_.found[source]);
    if (procfs_.is_kernel() && report.state == SourceReport::used &&
        source != SourceReport::threads) {
      message->set_cpu_microseconds(static_cast<uint64_t>(report.cpu_nanoseconds / 1000));
    }
  }
}

void HolderScan::AddFds(const RepeatedPtrField<Process>& processes, FdFindings* findings) {
  if (!options_.fds) return;
  Report& report = ReportOf(SourceReport::fds);
  report = {.state = SourceReport::used,
            .examined = findings->examined,
            .cpu_nanoseconds = findings->cpu_nanoseconds};
  const CpuMeter meter(procfs_, &report);
  gaps_.Merge(std::move(findings->gaps));
  vanished_fds_ += findings->vanished;
  ended_pidfds_ += findings->ended_pidfds;

  std::vector<std::pair<base::NamespaceLink, FdHolder>> holders;
  for (const FdFindings::NamespaceFile& file : findings->namespace_files) {
    holders.emplace_back(file.target, HolderOf(FdHolder::namespace_file, file.place));
  }
  for (const FdFindings::RegisteredFile& file : findings->registered_files) {
    holders.emplace_back(file.target, HolderOf(FdHolder::io_uring, file.place));
  }
  absl::flat_hash_map<int32_t, uint32_t> pid_namespaces;
  if (!findings->pidfds.empty()) pid_namespaces = PidNamespaces(processes);
  for (const FdFindings::Pidfd& pidfd : findings->pidfds) {
    const auto ns = pid_namespaces.find(pidfd.target);
    if (ns == pid_namespaces.end()) continue;
    holders.emplace_back(base::NamespaceLink{NamespaceType::kPid, ns->second},
                         HolderOf(FdHolder::pidfd, pidfd.place));
    holders.back().second.set_target_pid(pidfd.target);
  }
  if (questions_.foreign_fds != nullptr && !findings->tuns.empty()) {
    SocketHoldings tuns = ScanTuns(std::move(findings->tuns), *questions_.foreign_fds);
    gaps_.Merge(std::move(tuns.gaps));
    for (SocketHoldings::Holding& holding : tuns.holdings) {
      holders.emplace_back(base::NamespaceLink{NamespaceType::kNet, holding.inode},
                           std::move(holding.holder));
    }
  }
  absl::c_sort(holders, [](const auto& a, const auto& b) { return IsBefore(a.second, b.second); });
  for (const auto& [target, holder] : holders) table_.AddFdHolder(target, holder);
}

void HolderScan::AddSockets(FdFindings* findings) {
  if (!options_.sockets || !options_.fds) return;
  Report& report = ReportOf(SourceReport::sockets);
  report.state = SourceReport::unavailable;
  if (questions_.foreign_fds == nullptr) return;
  const CpuMeter meter(procfs_, &report);
  SocketScanOptions options{.threads = options_.threads};
  if (procfs_.is_kernel()) options.list_own = base::ListOwnSockets;
  if (options_.descriptors_in_flight) {
    AddInFlightGaps(procfs_, findings->sockets, &gaps_);
  }
  // On Linux 6.18 and later the cookie is the namespace's id. Where it is not, or the kernel has
  // none, each new cookie is asked about once.
  table_.ForEachKernelId([&](NamespaceType type, uint64_t id, uint32_t inode) {
    if (type == NamespaceType::kNet) options.cookies.emplace(id, inode);
  });
  Begin(ScanProgress::Step::kSockets, findings->sockets.size());
  SocketHoldings sockets =
      ScanSockets(std::move(findings->sockets), *questions_.foreign_fds, std::move(options));
  if (!sockets.unavailable) report.state = SourceReport::used;
  report.examined = sockets.examined;
  vanished_fds_ += sockets.vanished;
  gaps_.Merge(std::move(sockets.gaps));
  for (const SocketHoldings::Holding& holding : sockets.holdings) {
    table_.AddFdHolder({NamespaceType::kNet, holding.inode}, holding.holder);
  }
  table_.Trace(procfs_, *questions_.lineage, options_.users);
}

// Mount namespaces that are found only by a mount in another one are looked at as well.
void HolderScan::AddBindMounts() {
  if (!options_.bind_mounts && !options_.mounts) return;
  Report& report = ReportOf(SourceReport::bind_mounts);
  if (options_.bind_mounts) report.state = SourceReport::unavailable;
  const CpuMeter meter(procfs_, &report);
  absl::flat_hash_set<uint32_t> done;
  while (true) {
    std::vector<NamespaceTable::Known> namespaces = table_.All(procfs_, NamespaceType::kMnt);
    std::erase_if(namespaces, [&](const NamespaceTable::Known& one) {
      return done.contains(one.target.inode);
    });
    if (namespaces.empty()) return;
    if (options_.mounts && procfs_.is_kernel() && !super_blocks_.has_value()) {
      const std::optional<base::UniqueMountId> newest = NewestMountIn(namespaces);
      if (newest.has_value()) super_blocks_.emplace(*newest);
    }
    // The paths of the scanner's own are the shortest way. Those that no path leads to wait until
    // no other is left, whose mounts may be the way to them.
    const auto rank = [&](const NamespaceTable::Known& one) {
      if (IsOwn(one)) return 0;
      return one.reference.empty() ? 2 : 1;
    };
    absl::c_stable_sort(namespaces,
                        [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (rank(namespaces.front()) < 2) {
      std::erase_if(namespaces, [&](const auto& one) { return rank(one) == 2; });
    }
    Begin(ScanProgress::Step::kMounts, namespaces.size());
    for (const NamespaceTable::Known& one : namespaces) {
      done.insert(one.target.inode);
      if (AddBindMountsOf(one)) report.state = SourceReport::used;
      if (options_.progress != nullptr) options_.progress->Advance();
    }
    Begin(ScanProgress::Step::kRelations);
    table_.Trace(procfs_, *questions_.lineage, options_.users);
  }
}

bool HolderScan::AddBindMountsOf(const NamespaceTable::Known& where) {
  std::unique_ptr<mounttree::MountNamespace> all;
  if (options_.mounts) all = std::make_unique<mounttree::MountNamespace>();
  absl::StatusOr<BindMounts> mounts =
      ReadBindMounts(procfs_, where, all.get(),
                     super_blocks_.has_value() ? &*super_blocks_ : nullptr, &mount_text_bytes_);
  if (!mounts.ok()) {
    const int error = base::ErrnoOf(mounts.status());
    // It, or the process that was the way to it, is gone; a recorded tree may hold no mounts.
    if (!base::IsGone(error) && error != ESTALE && error != EBADF) {
      gaps_.Add({.kind = GapSubject::kNamespace,
                 .number = where.target.inode,
                 .type = NamespaceType::kMnt},
                "read mounts", error != 0 ? error : ENODATA,
                options_.mounts
                    ? "its mounts are unknown, and namespaces that are bind-mounted in it missing"
                    : "namespaces that are bind-mounted in it may be missing");
    }
    return false;
  }
  gaps_.Merge(std::move(mounts->gaps));
  if (all != nullptr) mounts_.emplace(where.target.inode, std::move(all));
  if (!options_.bind_mounts) return false;
  ReportOf(SourceReport::bind_mounts).examined += mounts->examined;
  for (BindMounts::Found& found : mounts->found) {
    found.mount.set_mount_namespace(where.target.inode);
    const std::optional<std::string> path = base::DecodeText(found.mount.path());
    if (path.has_value()) mounted_files_.Add(*path, found.local_id, found.target);
    table_.AddBindMount(found.target, found.mount, WayTo(where, found.mount));
    if (IsOwn(where)) NameByMount(found.target, found.mount.path());
  }
  return true;
}

bool HolderScan::IsOwn(const NamespaceTable::Known& mount_namespace) const {
  return mount_namespace.target.inode == options_.own_mount_namespace;
}

std::optional<NamespaceWay> HolderScan::WayTo(const NamespaceTable::Known& where,
                                              const BindMount& mount) const {
  std::optional<std::string> path = base::DecodeText(mount.path());
  if (mount.hidden() || !path.has_value()) return std::nullopt;
  NamespaceWay way{.kind = NamespaceWay::Kind::kPath};
  if (!IsOwn(where)) way.path = where.reference;
  way.path.push_back(*std::move(path));
  if (IsOwn(where) || !where.reference.empty()) return way;
  if (where.kernel_id == 0) return std::nullopt;
  way.kernel_id = where.kernel_id;
  way.mount_namespace = where.target.inode;
  return way;
}

// What is open by way of a mount is known once mounts are, and by way of one that is gone once the
// file is looked at. Lists of descriptors keep their order.
void HolderScan::AddFdsOfMounts(const FdFindings& findings) {
  if (!options_.fds) return;
  const CpuMeter meter(procfs_, &ReportOf(SourceReport::fds));
  absl::flat_hash_set<Namespace*> changed;
  const auto add = [&](const std::vector<FdFindings::NamespaceFile>& files) {
    for (const FdFindings::NamespaceFile& file : files) {
      table_.AddFdHolder(file.target, HolderOf(FdHolder::namespace_file, file.place));
      changed.insert(table_.Mutable(file.target));
    }
  };
  if (options_.bind_mounts) add(mounted_files_.Find(procfs_, findings.paths));
  add(FindDetachedFiles(procfs_, findings.roots));
  for (Namespace* const ns : changed) absl::c_sort(*ns->mutable_fds(), IsBefore);
  // A descriptor is a way to a namespace whose mounts are all hidden.
  table_.Trace(procfs_, *questions_.lineage, options_.users);
}

// ip-netns(8) names network namespaces by mounts in one directory, which some reach by a link.
void HolderScan::NameByMount(const base::NamespaceLink& target, const std::string& path) {
  absl::string_view name = path;
  if (target.type != NamespaceType::kNet) return;
  if (!absl::ConsumePrefix(&name, "/run/netns/") &&
      !absl::ConsumePrefix(&name, "/var/run/netns/")) {
    return;
  }
  Namespace* const ns = table_.Mutable(target);
  const std::string text(name);
  if (ns == nullptr || absl::c_linear_search(ns->names(), text)) return;
  ns->add_names(text);
  absl::c_sort(*ns->mutable_names());
}

void HolderScan::AddListed(SourceReport::Source source,
                           const std::vector<ListedNamespace>& listed) {
  if (listed.empty()) return;
  const CpuMeter meter(procfs_, &ReportOf(source));
  absl::flat_hash_set<std::pair<NamespaceType, uint64_t>> known;
  table_.ForEachKernelId(
      [&](NamespaceType type, uint64_t id, uint32_t) { known.emplace(type, id); });
  for (const ListedNamespace& one : listed) {
    if (known.contains({one.type, one.kernel_id})) continue;
    NamespaceTarget target{one.type, one.inode};
    if (one.inode == 0) {
      // An id alone is opened to learn the inode. What cannot be opened is gone by now.
      NamespaceWay way{.kind = NamespaceWay::Kind::kHandle};
      way.kernel_id = one.kernel_id;
      const absl::StatusOr<std::vector<NamespaceFacts>> facts = questions_.lineage->Trace(
          procfs_, way, target, [](NamespaceType, base::NamespaceId) { return true; });
      if (!facts.ok() || facts->empty()) continue;
      target.inode = facts->front().id.inode;
    }
    table_.AddListed(source, target, one.kernel_id);
  }
  table_.Trace(procfs_, *questions_.lineage, options_.users);
}

// A process that started after the processes were listed, and took over from one that was listed
// and ended before it was looked at, holds what seems to be held by nothing.
void HolderScan::LookForNewProcesses(const RepeatedPtrField<Process>& processes) {
  if (table_.ListedOnly().empty()) return;
  const absl::StatusOr<std::vector<base::Pid>> pids = procfs_.ListProcesses();
  if (!pids.ok()) return;
  absl::flat_hash_set<int32_t> known;
  for (const Process& process : processes) known.insert(process.pid());
  for (const base::Pid pid : *pids) {
    if (known.contains(pid.value)) continue;
    const absl::StatusOr<procfsroot::ProcessDir> dir = procfs_.OpenProcess(pid);
    if (!dir.ok()) continue;
    const procfsroot::NamespaceLinks links = dir->ReadNamespaceLinks();
    for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
      const auto index = static_cast<size_t>(info.type);
      if (links.in[index].error == 0) table_.MarkSeen({info.type, links.in[index].inode});
    }
  }
}

void HolderScan::AddNames() {
  if (questions_.names == nullptr) return;
  const auto ask = [&](NamespaceType type, const char* operation, const char* consequence,
                       const auto& question, const auto& fill) {
    std::vector<NamedNamespace> named;
    for (NamespaceTable::Known& one : table_.All(procfs_, type)) {
      if (one.traced && !one.ways.empty())
        named.push_back({one.target, std::move(one.ways.front())});
    }
    const auto answers = question(named);
    for (size_t i = 0; i < named.size(); ++i) {
      const int error = answers[i].error;
      if (answers[i].value.has_value()) {
        fill(*answers[i].value, table_.Mutable(named[i].target));
      } else if (!base::IsGone(error) && error != ESTALE && error != EBADF) {
        gaps_.Add({.kind = GapSubject::kNamespace, .number = named[i].target.inode, .type = type},
                  operation, error, consequence);
      }
    }
  };
  if (options_.ipc_counts) {
    ask(
        NamespaceType::kIpc, "setns", "its IPC objects are unknown",
        [&](const auto& named) { return questions_.names->IpcCountsOf(procfs_, named); },
        [](const IpcCounts& counts, Namespace* ns) { *ns->mutable_ipc_counts() = counts; });
  }
  if (!options_.names) return;
  ask(
      NamespaceType::kUts, "setns", "its host name is unknown",
      [&](const auto& named) { return questions_.names->UtsNamesOf(procfs_, named); },
      [](const UtsNames& names, Namespace* ns) {
        ns->set_hostname(base::EncodeText(names.hostname));
        ns->set_domainname(base::EncodeText(names.domainname));
      });
  ask(
      NamespaceType::kNet, "rtnetlink RTM_GETNSID", "its nsid is unknown",
      [&](const auto& named) { return questions_.names->NsidsOf(procfs_, named); },
      [](int32_t nsid, Namespace* ns) { ns->set_nsid(nsid); });
}

}  // namespace nsctl::nsdisc
