#include "nsdisc/portable_reference.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "nsdisc/namespace_way.h"
#include "procfsroot/process_files.h"

namespace nsctl::nsdisc {
namespace {

using base::ErrnoStatus;
using base::OwnedFd;
using procfsroot::Procfs;

constexpr size_t kMaxBootId = 64;

// The process that a path through a procfs, wherever that was, leads through.
std::optional<int32_t> ProcessOfPath(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const absl::string_view next = parts[i + 1];
    int32_t pid = 0;
    if (next != "ns" && next != "fd" && next != "task") continue;
    if (absl::SimpleAtoi(parts[i], &pid)) return pid;
  }
  return std::nullopt;
}

// True while the process that is meant has the number.
bool IsStill(const Procfs& procfs, const PortableReference& reference) {
  const absl::StatusOr<procfsroot::ProcessDir> dir = procfs.OpenProcess({reference.pid()});
  std::string text;
  if (!dir.ok() || dir->TryReadRecord("stat", procfsroot::kMaxStat, &text) != 0) return false;
  const absl::StatusOr<procfsroot::StatFields> stat = procfsroot::ParseStat(text);
  return stat.ok() && stat->start_time == reference.start_time();
}

absl::Status Stale(const PortableReference& reference) {
  return ErrnoStatus(ESTALE, "open",
                     base::NamespaceLinkText(*FromProto(reference.type()), reference.inode()));
}

// Everything that the reference says of the namespace holds for what is open.
absl::Status CheckIdentity(const OwnedFd& fd, const PortableReference& reference) {
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  bool same = id.inode == reference.inode();
  if (reference.has_device_major()) {
    same &= id.device == makedev(reference.device_major(), reference.device_minor());
  }
  if (same && reference.has_kernel_id()) {
    absl::StatusOr<uint64_t> kernel_id = base::KernelIdOf(fd);
    if (!kernel_id.ok()) kernel_id = base::MountNamespaceIdOf(fd);
    same = kernel_id.ok() && *kernel_id == reference.kernel_id();
  }
  return same ? absl::OkStatus() : Stale(reference);
}

absl::StatusOr<OwnedFd> OpenPath(const Procfs& procfs, const PortableReference& reference,
                                 const NamespaceTarget& target) {
  NamespaceWay way{.kind = NamespaceWay::Kind::kPath};
  for (const std::string& path : reference.path()) {
    const std::optional<std::string> bytes = base::DecodeText(path);
    if (!bytes.has_value()) return absl::InvalidArgumentError("a path is no stored text");
    way.path.push_back(*bytes);
  }
  if (way.path.size() == 1) {
    way = WayThroughProcfs(procfs, way.path.front(), target.type).value_or(way);
  }
  if (reference.has_pid() && !IsStill(procfs, reference)) return Stale(reference);
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenWay(procfs, way, target));
  NSCTL_RETURN_IF_ERROR(CheckIdentity(fd, reference));
  // Asked again: the number may have been dealt again between the two.
  if (reference.has_pid() && !IsStill(procfs, reference)) return Stale(reference);
  return fd;
}

absl::StatusOr<OwnedFd> OpenById(const Procfs& procfs, const PortableReference& reference,
                                 const NamespaceTarget& target) {
  NamespaceWay way{.kind = NamespaceWay::Kind::kHandle};
  way.kernel_id = reference.kernel_id();
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenWay(procfs, way, target));
  NSCTL_RETURN_IF_ERROR(CheckIdentity(fd, reference));
  return fd;
}

absl::Status CheckBoot(const Procfs& procfs, const PortableReference& reference) {
  if (!procfs.is_kernel()) return absl::FailedPreconditionError("not the running kernel's procfs");
  NSCTL_ASSIGN_OR_RETURN(const std::string boot_id,
                         procfs.ReadFile("sys/kernel/random/boot_id", kMaxBootId));
  if (reference.boot_id().empty() || absl::StripAsciiWhitespace(boot_id) == reference.boot_id()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("the reference is of another boot of the kernel");
}

}  // namespace

PortableReference MakePortableReference(const SnapshotIndex& index, const Namespace& ns) {
  PortableReference reference;
  reference.set_type(ns.type());
  reference.set_inode(ns.inode());
  if (ns.has_device_major()) reference.set_device_major(ns.device_major());
  if (ns.has_device_minor()) reference.set_device_minor(ns.device_minor());
  if (ns.has_kernel_id()) reference.set_kernel_id(ns.kernel_id());
  *reference.mutable_path() = ns.reference();
  reference.set_boot_id(index.snapshot().host().boot_id());
  if (ns.reference().empty()) return reference;
  const std::optional<int32_t> pid = ProcessOfPath(ns.reference(0));
  if (!pid.has_value()) return reference;
  const Process* const process = index.FindProcess(*pid);
  if (process == nullptr) return reference;
  reference.set_pid(*pid);
  reference.set_start_time(process->start_time());
  return reference;
}

absl::StatusOr<OwnedFd> OpenPortableReference(const Procfs& procfs,
                                              const PortableReference& reference) {
  const std::optional<base::NamespaceType> type = FromProto(reference.type());
  if (!type.has_value() || reference.inode() == 0) {
    return absl::InvalidArgumentError("the reference has no type or no inode");
  }
  if (reference.path().empty() && !reference.has_kernel_id()) {
    return absl::InvalidArgumentError("the reference has neither a path nor an id");
  }
  NSCTL_RETURN_IF_ERROR(CheckBoot(procfs, reference));
  const NamespaceTarget target{*type, reference.inode()};
  if (reference.path().empty()) return OpenById(procfs, reference, target);
  absl::StatusOr<OwnedFd> fd = OpenPath(procfs, reference, target);
  if (fd.ok() || !reference.has_kernel_id()) return fd;
  absl::StatusOr<OwnedFd> by_id = OpenById(procfs, reference, target);
  return by_id.ok() ? std::move(by_id) : std::move(fd);
}

}  // namespace nsctl::nsdisc
