#include "cmd/mount_source.h"

#include <errno.h>

#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/labels.h"
#include "cmd/target_in_snapshot.h"
#include "cmd/target_mount_namespace.h"
#include "mounttree/read_mounts.h"
#include "nsdisc/snapshot_index.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/process_files.h"

namespace nsctl::cmd {
namespace {

using base::OwnedFd;
using nsdisc::Namespace;
using nsdisc::Process;
using nsdisc::Snapshot;
using nsdisc::SnapshotIndex;
using procfsroot::GuardedProcess;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

absl::StatusOr<TargetMountNamespace> OpenOwn(const Procfs& procfs) {
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, self.OpenNamespace("mnt"));
  return TargetMountNamespace{std::move(fd), std::nullopt};
}

// The command line of a process, or what else names it; empty where it cannot be read.
std::string CommandOf(const Procfs& procfs, base::Pid pid) {
  const absl::StatusOr<ProcessDir> dir = procfs.OpenProcess(pid);
  if (!dir.ok()) return "";
  std::string text;
  // What is longer is cut, as in a scan.
  const int error = dir->TryReadRecord("cmdline", procfsroot::kMaxCommandLine, &text);
  if (error != 0 && error != EFBIG) return "";
  Process process;
  procfsroot::ForEachArgument(text, [&](absl::string_view argument) {
    process.add_command_line(base::EncodeText(argument));
  });
  return CommandText(process);
}

void FillFrom(const Namespace& ns, const SnapshotIndex& index, MountNamespaceInfo* info) {
  *info->mutable_reference() = ns.reference();
  info->set_process_count(ns.process_count());
  if (const Process* process = index.RepresentativeOf(ns)) {
    info->set_pid(process->pid());
    info->set_command(CommandText(*process));
  }
}

// Its mountinfo, which the kernel shows of processes whose namespaces it does not let one open.
absl::StatusOr<ScannedMounts> ScanMountinfoOf(const ProcessTarget& target, const Procfs& procfs) {
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess process,
                         GuardedProcess::Open(procfs, target.pid, target.pidfd_inode));
  ScannedMounts scanned;
  const mounttree::ReadMountsOptions options{.reader =
                                                 mounttree::ReadMountsOptions::Reader::kMountinfo};
  NSCTL_RETURN_IF_ERROR(
      mounttree::ReadMounts({.procfs = &procfs, .process = target.pid}, options, &scanned.mounts));
  NSCTL_RETURN_IF_ERROR(process.CheckAlive());
  scanned.info.set_pid(target.pid.value);
  scanned.info.set_command(CommandOf(procfs, target.pid));
  return scanned;
}

}  // namespace

absl::StatusOr<ScannedMounts> ScanMountsOf(const std::optional<Target>& target,
                                           const Procfs& procfs) {
  const absl::StatusOr<TargetMountNamespace> found =
      target.has_value() ? OpenMountNamespace(*target, procfs) : OpenOwn(procfs);
  if (base::IsDenied(found.status()) && target.has_value()) {
    const ProcessTarget* process = std::get_if<ProcessTarget>(&*target);
    if (process != nullptr) return ScanMountinfoOf(*process, procfs);
  }
  NSCTL_RETURN_IF_ERROR(found.status());
  const TargetMountNamespace& opened = *found;
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(opened.fd));
  mounttree::MountNamespaceAddress address{.fd = base::FdRef(opened.fd),
                                           .procfs = &procfs,
                                           .process = opened.process,
                                           .inode = id.inode};
  ScannedMounts scanned;
  NSCTL_RETURN_IF_ERROR(mounttree::ReadMounts(address, {}, &scanned.mounts));
  scanned.mounts.set_inode(id.inode);
  const absl::StatusOr<uint64_t> kernel_id = base::MountNamespaceIdOf(opened.fd);
  if (kernel_id.ok()) scanned.mounts.set_kernel_id(*kernel_id);
  if (opened.process.has_value()) {
    scanned.info.add_reference(
        base::EncodeText(absl::StrCat(procfs.path(), "/", opened.process->value, "/ns/mnt")));
    scanned.info.set_pid(opened.process->value);
    scanned.info.set_command(CommandOf(procfs, *opened.process));
  }
  return scanned;
}

absl::StatusOr<std::vector<ScannedMounts>> TakeMounts(Snapshot* snapshot) {
  if (!snapshot->options().mounts()) {
    return absl::FailedPreconditionError(
        "the snapshot has no mounts: take it with nsctl snapshot --mounts");
  }
  const SnapshotIndex index(*snapshot);
  std::vector<ScannedMounts> scanned;
  for (mounttree::MountNamespace& mounts : *snapshot->mutable_mounts()) {
    ScannedMounts one;
    const Namespace* ns = index.FindNamespace(base::NamespaceType::kMnt, mounts.inode());
    if (ns != nullptr) FillFrom(*ns, index, &one.info);
    one.mounts = std::move(mounts);
    scanned.push_back(std::move(one));
  }
  return scanned;
}

absl::StatusOr<uint32_t> FindMountNamespaceIn(const Snapshot& snapshot, const Target& target) {
  const NamespaceTarget* const named = std::get_if<NamespaceTarget>(&target);
  if (named != nullptr && named->type != base::NamespaceType::kMnt) return NoMountNamespace(*named);
  const SnapshotIndex index(snapshot);
  NSCTL_ASSIGN_OR_RETURN(const TargetInSnapshot found, FindPlaceIn(index, target));
  if (found.process == nullptr) return found.ns->inode();
  const Process& process = *found.process;
  if (process.namespaces().has_mnt()) return process.namespaces().mnt();
  return absl::NotFoundError(
      absl::StrCat("the mount namespace of process ", process.pid(), " is unknown",
                   process.namespaces_error().empty() ? "" : ": ", process.namespaces_error()));
}

}  // namespace nsctl::cmd
