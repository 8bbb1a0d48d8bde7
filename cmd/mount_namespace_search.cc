#include "cmd/mount_namespace_search.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/handle.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::cmd {
namespace {

using base::FdRef;
using base::NamespaceType;
using base::OwnedFd;
using procfsroot::ProcessDir;
using procfsroot::Procfs;

class Search {
 public:
  Search(const Procfs& procfs, uint32_t inode) : procfs_(procfs), inode_(inode) {}

  absl::StatusOr<OwnedFd> Run() {
    NSCTL_ASSIGN_OR_RETURN(const std::vector<base::Pid> pids, procfs_.ListProcesses());
    for (const base::Pid pid : pids) {
      if (LookAtProcess(pid)) return std::move(found_);
    }
    if (LookAtAll()) return std::move(found_);
    for (const base::Pid pid : pids) {
      if (LookAtThreads(pid)) return std::move(found_);
    }
    for (const base::Pid pid : pids) {
      if (LookAtDescriptors(pid)) return std::move(found_);
    }
    return NotFound();
  }

 private:
  // True, and kept in found_, where `fd` is the namespace.
  bool Take(absl::StatusOr<OwnedFd> fd) {
    if (!fd.ok()) return false;
    const absl::StatusOr<NamespaceType> type = base::NamespaceTypeOf(*fd);
    if (!type.ok() || *type != NamespaceType::kMnt) return false;
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*fd);
    if (!id.ok() || id->inode != inode_) return false;
    found_ = *std::move(fd);
    return true;
  }

  // True where the link `name` of `directory` reads as the namespace.
  bool Names(FdRef directory, const std::string& name) {
    char text[64];
    const ssize_t size = readlinkat(directory.get(), name.c_str(), text, sizeof(text));
    const int error = errno;
    if (size < 0) {
      if (base::IsDenied(error)) ++denied_;
      return false;
    }
    const auto link =
        base::ParseNamespaceLinkText(absl::string_view(text, static_cast<size_t>(size)));
    return link.has_value() && link->type == NamespaceType::kMnt && link->inode == inode_;
  }

  bool LookAtProcess(base::Pid pid) {
    const absl::StatusOr<ProcessDir> process = procfs_.OpenProcess(pid);
    return process.ok() && Names(process->fd(), "ns/mnt") && Take(process->OpenNamespace("mnt"));
  }

  // All that the kernel has, from this process's own in both directions.
  bool LookAtAll() {
    using Step = absl::StatusOr<base::MountNamespaceNeighbour> (*)(FdRef);
    for (const Step step : {&base::OpenNextMountNamespace, &base::OpenPreviousMountNamespace}) {
      const absl::StatusOr<ProcessDir> self = procfs_.OpenSelf();
      if (!self.ok()) return false;
      absl::StatusOr<OwnedFd> at = self->OpenNamespace("mnt");
      while (at.ok()) {
        absl::StatusOr<base::MountNamespaceNeighbour> next = step(*at);
        if (!next.ok() && !base::IsGone(next.status())) all_seen_ = false;
        if (!next.ok()) break;
        at = std::move(next->fd);
        const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*at);
        if (id.ok() && id->inode == inode_) return Take(std::move(at));
      }
    }
    return false;
  }

  bool LookAtThreads(base::Pid pid) {
    const absl::StatusOr<ProcessDir> process = procfs_.OpenProcess(pid);
    if (!process.ok()) return false;
    const absl::StatusOr<std::vector<base::Tid>> tids = process->ListThreads();
    if (!tids.ok() || tids->size() < 2) return false;
    for (const base::Tid tid : *tids) {
      const absl::StatusOr<ProcessDir> thread = process->OpenThread(tid);
      if (thread.ok() && Names(thread->fd(), "ns/mnt") && Take(thread->OpenNamespace("mnt"))) {
        return true;
      }
    }
    return false;
  }

  bool LookAtDescriptors(base::Pid pid) {
    const absl::StatusOr<ProcessDir> process = procfs_.OpenProcess(pid);
    if (!process.ok()) return false;
    absl::StatusOr<OwnedFd> fds = base::OpenAt(process->fd(), "fd", O_RDONLY | O_DIRECTORY);
    if (!fds.ok()) return false;
    const absl::StatusOr<std::vector<procfsroot::DirectoryEntry>> entries =
        procfsroot::ListDirectory(*fds, kMaxDescriptors);
    if (!entries.ok()) return false;
    for (const procfsroot::DirectoryEntry& entry : *entries) {
      if (Names(*fds, entry.name) && Take(OpenDescriptor(*fds, entry.name))) return true;
    }
    return false;
  }

  // The link was one to a namespace a moment ago. What it leads to by now is looked at before it is
  // opened: the process may have put anything in its place.
  static absl::StatusOr<OwnedFd> OpenDescriptor(FdRef fds, const std::string& name) {
    NSCTL_ASSIGN_OR_RETURN(const OwnedFd handle, base::OpenAt(fds, name, O_PATH));
    return procfsroot::ReopenNamespaceFile(handle);
  }

  absl::Status NotFound() const {
    std::string message =
        absl::StrCat("no mount namespace ", base::NamespaceLinkText(NamespaceType::kMnt, inode_));
    if (all_seen_) return absl::NotFoundError(message);
    absl::StrAppend(&message, " found; idle ones cannot be listed here");
    if (denied_ > 0) absl::StrAppend(&message, ", and ", denied_, " links could not be read");
    return absl::NotFoundError(message);
  }

  static constexpr size_t kMaxDescriptors = size_t{1} << 20;

  const Procfs& procfs_;
  const uint32_t inode_;
  OwnedFd found_;
  size_t denied_ = 0;
  bool all_seen_ = true;
};

}  // namespace

absl::StatusOr<OwnedFd> FindMountNamespace(const Procfs& procfs, uint32_t inode) {
  if (!procfs.is_kernel()) {
    return absl::FailedPreconditionError(
        absl::StrCat(procfs.path(), ": a recorded procfs has no namespaces that can be entered"));
  }
  return Search(procfs, inode).Run();
}

}  // namespace nsctl::cmd
