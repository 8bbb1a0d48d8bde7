#include "cmd/exec_find_namespace.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/nsfs.h"
#include "base/nsfs_handle.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mountinfo.h"
#include "nsdisc/discover.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsentry::NamespaceReference;

constexpr size_t kMaxMountinfo = 256 << 20;

// The paths of the caller at which namespaces of `type` are: of processes and threads, then of bind
// mounts.
absl::StatusOr<std::vector<std::string>> Paths(
    const procfsroot::Procfs& procfs, const nsdisc::Questions& questions, NamespaceType type,
    absl::FunctionRef<bool(const nsdisc::Namespace&)> wanted) {
  nsdisc::DiscoverOptions options;
  options.threads = nsdisc::ScanOptions::loose;
  options.detail = nsdisc::ProcessDetail::kRepresentatives;
  options.types = {type};
  NSCTL_ASSIGN_OR_RETURN(const std::unique_ptr<nsdisc::Snapshot> snapshot,
                         Discover(procfs, questions, options));
  std::vector<std::string> paths;
  for (const nsdisc::Namespace& ns : snapshot->namespaces()) {
    if (!wanted(ns) || ns.reference_size() != 1) continue;
    paths.push_back(base::DecodeText(ns.reference(0)).value_or(""));
  }
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const std::string mountinfo, self.Read("mountinfo", kMaxMountinfo));
  NSCTL_RETURN_IF_ERROR(mounttree::ForEachMount(mountinfo, [&](const mounttree::MountinfoRow& row) {
    if (row.file_system == "nsfs") paths.push_back(mounttree::DecodeMountText(row.mount_point));
  }));
  return paths;
}

// What was read of a path may lead elsewhere by now: `is_it` looks at what is open.
absl::StatusOr<NamespaceReference> OpenFirst(
    const std::vector<std::string>& paths, NamespaceType type, const std::string& name,
    absl::FunctionRef<bool(const NamespaceReference&)> is_it) {
  for (const std::string& path : paths) {
    absl::StatusOr<NamespaceReference> reference = nsentry::OpenNamespaceAt(path, type);
    if (reference.ok() && is_it(*reference)) return reference;
  }
  return absl::NotFoundError(absl::StrCat("no namespace ", name, " can be reached"));
}

}  // namespace

absl::StatusOr<NamespaceReference> FindNamespaceByInode(const procfsroot::Procfs& procfs,
                                                        const nsdisc::Questions& questions,
                                                        NamespaceType type, uint32_t inode) {
  NSCTL_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                         Paths(procfs, questions, type,
                               [&](const nsdisc::Namespace& ns) { return ns.inode() == inode; }));
  return OpenFirst(paths, type, base::NamespaceLinkText(type, inode),
                   [&](const NamespaceReference& found) { return found.id.inode == inode; });
}

absl::StatusOr<NamespaceReference> FindNamespaceById(const procfsroot::Procfs& procfs,
                                                     const nsdisc::Questions& questions,
                                                     NamespaceType type, uint64_t kernel_id) {
  const std::string name = absl::StrCat(base::InfoOf(type).name, " with id ", kernel_id);
  absl::StatusOr<base::OwnedFd> fd =
      base::OpenByHandle({.kernel_id = kernel_id, .type = std::nullopt});
  if (fd.ok()) return nsentry::IdentifyNamespace(*std::move(fd), type, name);
  NSCTL_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                         Paths(procfs, questions, type, [&](const nsdisc::Namespace& ns) {
                           return ns.kernel_id() == kernel_id;
                         }));
  return OpenFirst(paths, type, name, [&](const NamespaceReference& found) {
    const absl::StatusOr<uint64_t> id = base::KernelIdOf(found.fd);
    return id.ok() && *id == kernel_id;
  });
}

}  // namespace nsctl::cmd
