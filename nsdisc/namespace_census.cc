#include "nsdisc/namespace_census.h"

#include <errno.h>
#include <linux/capability.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/listns.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {
namespace {

using base::MountNamespaceNeighbour;
using base::NamespaceType;
using base::OwnedFd;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

// More than any host has; a list that does not end is no answer of the kernel.
constexpr size_t kMaxListed = 1 << 20;

absl::StatusOr<ListedNamespace> Describe(const OwnedFd& fd, uint64_t kernel_id) {
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(fd));
  return ListedNamespace{NamespaceType::kMnt, kernel_id, id.inode};
}

// One after the other from `fd` on, in the direction of `step`, until the list ends.
template <typename Step>
absl::Status Walk(OwnedFd fd, const Step& step, std::vector<ListedNamespace>* listed) {
  while (listed->size() < kMaxListed) {
    absl::StatusOr<MountNamespaceNeighbour> next = step(fd);
    if (!next.ok() && base::ErrnoOf(next.status()) == ENOENT) return absl::OkStatus();
    NSCTL_RETURN_IF_ERROR(next.status());
    NSCTL_ASSIGN_OR_RETURN(ListedNamespace one, Describe(next->fd, next->info.kernel_id));
    listed->push_back(one);
    fd = std::move(next->fd);
  }
  return absl::ResourceExhaustedError("the kernel's list of mount namespaces has no end");
}

// As the kernel decides who may see all namespaces (fs/nsfs.c, may_see_all_namespaces).
absl::StatusOr<bool> MaySeeAll() {
  NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  std::string text;
  const int error = self.TryReadRecord("status", procfsroot::kMaxStatus, &text);
  if (error != 0) return base::ErrnoStatus(error, "read", "status");
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::StatusFields status, procfsroot::ParseStatus(text));
  const procfsroot::NamespaceLinks links = self.ReadNamespaceLinks();
  const auto is_in_initial = [&](NamespaceType type) {
    return links.in[static_cast<size_t>(type)].inode == base::InfoOf(type).initial_inode;
  };
  const bool is_admin = (status.effective_capabilities >> CAP_SYS_ADMIN & 1) != 0;
  return is_admin && is_in_initial(NamespaceType::kUser) && is_in_initial(NamespaceType::kPid);
}

}  // namespace

absl::StatusOr<std::vector<ListedNamespace>> KernelCensus::ListMountNamespaces() {
  NSCTL_ASSIGN_OR_RETURN(const Procfs procfs, Procfs::Live());
  NSCTL_ASSIGN_OR_RETURN(const ProcessDir self, procfs.OpenSelf());
  std::vector<ListedNamespace> listed;
  NSCTL_ASSIGN_OR_RETURN(OwnedFd own, self.OpenNamespace("mnt"));
  NSCTL_RETURN_IF_ERROR(Walk(
      std::move(own), [](const OwnedFd& fd) { return base::OpenPreviousMountNamespace(fd); },
      &listed));
  NSCTL_ASSIGN_OR_RETURN(own, self.OpenNamespace("mnt"));
  NSCTL_ASSIGN_OR_RETURN(const base::MountNamespaceInfo info, base::MountNamespaceInfoOf(own));
  NSCTL_ASSIGN_OR_RETURN(const ListedNamespace own_entry, Describe(own, info.kernel_id));
  listed.push_back(own_entry);
  NSCTL_RETURN_IF_ERROR(Walk(
      std::move(own), [](const OwnedFd& fd) { return base::OpenNextMountNamespace(fd); }, &listed));
  absl::c_sort(listed, [](const ListedNamespace& a, const ListedNamespace& b) {
    return a.kernel_id < b.kernel_id;
  });
  return listed;
}

absl::StatusOr<std::vector<ListedNamespace>> KernelCensus::ListAllNamespaces() {
  std::vector<ListedNamespace> listed;
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const absl::StatusOr<std::vector<uint64_t>> ids =
        base::ListNamespaces({.clone_flags = info.clone_flag}, kMaxListed);
    // A kernel that is built without a type has none of it to list.
    if (!ids.ok() && base::ErrnoOf(ids.status()) == EOPNOTSUPP) continue;
    NSCTL_RETURN_IF_ERROR(ids.status());
    for (const uint64_t id : *ids) listed.push_back({info.type, id, 0});
  }
  // What the caller may not see the kernel leaves out in silence.
  NSCTL_ASSIGN_OR_RETURN(const bool sees_all, MaySeeAll());
  if (!sees_all) return base::ErrnoStatus(EPERM, "listns", "all namespaces");
  return listed;
}

}  // namespace nsctl::nsdisc
