#include "cmd/target_root.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/mount_namespace_search.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/handle.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::OwnedFd;
using procfsroot::MountNamespaceRoot;
using procfsroot::Root;

// What a path leads to: a handle of a directory, or an open namespace.
struct Reached {
  OwnedFd fd;
  bool is_directory = false;
};

// In a worker: all of this may ask a server.
absl::StatusOr<Reached> Reach(const std::string& path) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd handle, base::OpenAt(base::FdRef(AT_FDCWD), path, O_PATH));
  NSCTL_ASSIGN_OR_RETURN(const struct statx status, procfsroot::LookedUpStat(handle));
  if (S_ISDIR(status.stx_mode)) return Reached{std::move(handle), true};
  if (!procfsroot::IsNamespaceFile(handle)) {
    return base::ErrnoStatus(ENOTDIR, "look for files in", path);
  }
  NSCTL_ASSIGN_OR_RETURN(OwnedFd opened, procfsroot::ReopenNamespaceFile(handle));
  return Reached{std::move(opened)};
}

absl::Status RootIsClosed(const absl::Status& denied, absl::string_view target) {
  return base::ErrnoStatus(
      base::ErrnoOf(denied),
      absl::StrCat("open the root directory of process ", target,
                   ", which takes PTRACE_MODE_READ_FSCREDS (its own user and no more capabilities "
                   "than one's own, or CAP_SYS_PTRACE)"));
}

absl::Status HasNoFiles(NamespaceType type, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": a namespace of type ", base::InfoOf(type).name,
                   " has no files; use a process that is in it, or a mount namespace"));
}

struct Opener {
  const procfsroot::Procfs& procfs;
  const procfsroot::RootOptions& options;

  using Result = absl::StatusOr<TargetRoot>;

  Result OfNamespace(OwnedFd mount_namespace) const {
    NSCTL_ASSIGN_OR_RETURN(
        MountNamespaceRoot root,
        MountNamespaceRoot::OfNamespace(std::move(mount_namespace), {.root = options}));
    return TargetRoot(std::move(root));
  }

  Result operator()(const ProcessTarget& target) const {
    absl::StatusOr<Root> root = OfProcess(target);
    if (base::IsGone(root.status())) {
      return base::Annotate(root.status(), absl::StrCat("no process ", ToString(target)));
    }
    if (base::IsDenied(root.status())) return RootIsClosed(root.status(), ToString(target));
    NSCTL_RETURN_IF_ERROR(root.status());
    return TargetRoot(*std::move(root));
  }

  Result operator()(const NamespaceTarget& target) const {
    if (target.type != NamespaceType::kMnt) return HasNoFiles(target.type, ToString(target));
    NSCTL_ASSIGN_OR_RETURN(OwnedFd found, FindMountNamespace(procfs, target.inode));
    return OfNamespace(std::move(found));
  }

  Result operator()(const ContainerTarget& target) const { return Unresolved(target); }
  Result operator()(const ContainerIdTarget& target) const { return Unresolved(target); }

  Result operator()(const PathTarget& target) const {
    const std::string name = base::TerminalText(ToString(target));
    NSCTL_ASSIGN_OR_RETURN(
        Reached reached,
        options.caller->Run<Reached>(
            absl::StrCat("open ", name), options.timeout,
            [path = target.path](const procfsroot::DeviceGate&) { return Reach(path); }));
    if (reached.is_directory) {
      NSCTL_ASSIGN_OR_RETURN(Root root, Root::OfFd(std::move(reached.fd), options));
      return TargetRoot(std::move(root));
    }
    NSCTL_ASSIGN_OR_RETURN(const NamespaceType type, base::NamespaceTypeOf(reached.fd));
    if (type != NamespaceType::kMnt) return HasNoFiles(type, name);
    return OfNamespace(std::move(reached.fd));
  }

  // Where the kernel has no inodes of pidfds the process is held while its root is taken.
  absl::StatusOr<Root> OfProcess(const ProcessTarget& target) const {
    if (!target.start_time.has_value() || target.pidfd_inode.has_value()) {
      return Root::OfProcess(procfs, target.pid, target.pidfd_inode, options);
    }
    NSCTL_ASSIGN_OR_RETURN(
        const procfsroot::GuardedProcess process,
        procfsroot::GuardedProcess::Open(procfs, target.pid, target.pidfd_inode));
    if (process.start_time() != *target.start_time) {
      return base::ErrnoStatus(ESRCH, "find process", ToString(target));
    }
    NSCTL_ASSIGN_OR_RETURN(Root root, Root::OfProcess(procfs, target.pid, std::nullopt, options));
    NSCTL_RETURN_IF_ERROR(process.CheckAlive());
    return root;
  }

  static Result Unresolved(const Target& target) {
    return base::ErrnoStatus(ENOTDIR, "look for files in", base::TerminalText(ToString(target)));
  }
};

}  // namespace

absl::StatusOr<TargetRoot> OpenTargetRoot(const Target& target, const procfsroot::Procfs& procfs,
                                          const procfsroot::RootOptions& options) {
  procfsroot::RootOptions named = options;
  if (named.name.empty()) {
    named.name = absl::StrCat(base::DecodeText(ToString(target)).value_or(""), ":");
  }
  return std::visit(Opener{procfs, named}, target);
}

}  // namespace nsctl::cmd
