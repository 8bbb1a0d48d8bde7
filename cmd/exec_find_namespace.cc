#include "cmd/exec_find_namespace.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/nsfs.h"
#include "base/nsfs_handle.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mountinfo.h"
#include "nsdisc/discover.h"
#include "nsentry/standing.h"
#include "procfsroot/guarded_process.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsentry::NamespaceReference;

constexpr size_t kMaxMountinfo = 256 << 20;

using Wanted = absl::FunctionRef<bool(const nsdisc::Namespace&)>;

// Where a namespace may be opened.
struct Ways {
  // Of the caller: of processes and threads, then of bind mounts.
  std::vector<std::string> paths;
  // Sockets and TUN files, which have no path to their namespace.
  std::vector<nsdisc::FdHolder> holders;
  // Processes whose namespaces could not be looked at.
  size_t unseen = 0;
};

// By the links of processes and threads alone, or else by everything that keeps a namespace alive.
enum class Effort { kLinks, kAll };

nsdisc::DiscoverOptions OptionsFor(NamespaceType type, Effort effort) {
  nsdisc::DiscoverOptions options;
  options.threads = nsdisc::ScanOptions::loose;
  options.detail = nsdisc::ProcessDetail::kRepresentatives;
  options.types = {type};
  options.names = false;
  if (effort == Effort::kLinks) {
    options.fds = false;
    options.bind_mounts = false;
    options.kernel_lists = false;
  }
  return options;
}

size_t CountUnseen(const nsdisc::Snapshot& snapshot) {
  std::set<std::string> subjects;
  for (const nsdisc::Gap& gap : snapshot.gaps()) {
    const bool is_process = absl::StartsWith(gap.subject(), "pid:");
    if (is_process && absl::EndsWith(gap.operation(), " ns")) subjects.insert(gap.subject());
  }
  return subjects.size();
}

absl::StatusOr<Ways> FindWays(const procfsroot::Procfs& procfs, const nsdisc::Questions& questions,
                              NamespaceType type, Effort effort, Wanted wanted) {
  NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                         Discover(procfs, questions, OptionsFor(type, effort)));
  Ways ways;
  ways.unseen = CountUnseen(*snapshot);
  for (const nsdisc::Namespace& ns : snapshot->namespaces()) {
    if (!wanted(ns)) continue;
    if (ns.reference_size() == 1) {
      ways.paths.push_back(base::DecodeText(ns.reference(0)).value_or(""));
    }
    ways.holders.insert(ways.holders.end(), ns.sockets().begin(), ns.sockets().end());
    for (const nsdisc::FdHolder& holder : ns.fds()) {
      if (holder.kind() == nsdisc::FdHolder::tun) ways.holders.push_back(holder);
    }
  }
  if (effort == Effort::kLinks) return ways;
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const std::string mountinfo, self.Read("mountinfo", kMaxMountinfo));
  NSCTL_RETURN_IF_ERROR(mounttree::ForEachMount(mountinfo, [&](const mounttree::MountinfoRow& row) {
    if (row.file_system != "nsfs") return;
    ways.paths.push_back(mounttree::DecodeMountText(row.mount_point));
  }));
  return ways;
}

absl::StatusOr<NamespaceReference> OpenHolder(const procfsroot::Procfs& procfs,
                                              const nsdisc::FdHolder& holder) {
  using procfsroot::GuardedProcess;
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess process,
                         GuardedProcess::Open(procfs, base::Pid{holder.pid()}, std::nullopt,
                                              GuardedProcess::Hold::kPidfd));
  return nsentry::OpenNetworkNamespaceOfSocket(process, holder.fd());
}

// What was read of a way may lead elsewhere by now: `is_it` looks at what is open.
std::optional<NamespaceReference> OpenFirst(
    const procfsroot::Procfs& procfs, const Ways& ways, NamespaceType type,
    absl::FunctionRef<bool(const NamespaceReference&)> is_it) {
  for (const std::string& path : ways.paths) {
    absl::StatusOr<NamespaceReference> reference = nsentry::OpenNamespaceAt(path, type);
    if (reference.ok() && is_it(*reference)) return *std::move(reference);
  }
  for (const nsdisc::FdHolder& holder : ways.holders) {
    absl::StatusOr<NamespaceReference> reference = OpenHolder(procfs, holder);
    if (reference.ok() && is_it(*reference)) return *std::move(reference);
  }
  return std::nullopt;
}

absl::Status NotReached(const std::string& name, size_t unseen) {
  std::string message = absl::StrCat("no namespace ", name, " can be reached");
  if (unseen != 0) {
    absl::StrAppend(&message, "; ", unseen, unseen == 1 ? " process" : " processes",
                    " could not be looked at");
    const absl::StatusOr<nsentry::Standing> own = nsentry::OwnStanding({});
    if (own.ok() && !own->Has(nsentry::kCapSysPtrace)) {
      absl::StrAppend(&message, ", for want of CAP_SYS_PTRACE");
    }
  }
  return absl::NotFoundError(message);
}

absl::StatusOr<NamespaceReference> Find(const procfsroot::Procfs& procfs,
                                        const nsdisc::Questions& questions, NamespaceType type,
                                        const std::string& name, Wanted wanted,
                                        absl::FunctionRef<bool(const NamespaceReference&)> is_it) {
  size_t unseen = 0;
  for (const Effort effort : {Effort::kLinks, Effort::kAll}) {
    NSCTL_ASSIGN_OR_RETURN(const Ways ways, FindWays(procfs, questions, type, effort, wanted));
    if (std::optional<NamespaceReference> found = OpenFirst(procfs, ways, type, is_it)) {
      return *std::move(found);
    }
    unseen = ways.unseen;
  }
  return NotReached(name, unseen);
}

}  // namespace

absl::StatusOr<NamespaceReference> FindNamespaceByInode(const procfsroot::Procfs& procfs,
                                                        const nsdisc::Questions& questions,
                                                        NamespaceType type, uint32_t inode) {
  return Find(
      procfs, questions, type, base::NamespaceLinkText(type, inode),
      [&](const nsdisc::Namespace& ns) { return ns.inode() == inode; },
      [&](const NamespaceReference& found) { return found.id.inode == inode; });
}

absl::StatusOr<NamespaceReference> FindNamespaceById(const procfsroot::Procfs& procfs,
                                                     const nsdisc::Questions& questions,
                                                     NamespaceType type, uint64_t kernel_id) {
  const std::string name = absl::StrCat(base::InfoOf(type).name, " with id ", kernel_id);
  absl::StatusOr<base::OwnedFd> fd =
      base::OpenByHandle({.kernel_id = kernel_id, .type = std::nullopt});
  if (fd.ok()) return nsentry::IdentifyNamespace(*std::move(fd), type, name);
  return Find(
      procfs, questions, type, name,
      [&](const nsdisc::Namespace& ns) { return ns.kernel_id() == kernel_id; },
      [&](const NamespaceReference& found) {
        const absl::StatusOr<uint64_t> id = base::KernelIdOf(found.fd);
        return id.ok() && *id == kernel_id;
      });
}

}  // namespace nsctl::cmd
