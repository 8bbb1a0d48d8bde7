#include "procfsroot/mount_namespace_root.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/enter_mount_namespace.h"
#include "procfsroot/guarded_process.h"
#include "procfsroot/handle.h"
#include "procfsroot/namespace_file.h"
#include "procfsroot/procfs.h"
#include "procfsroot/resolve_options.h"
#include "procfsroot/root.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;
using SharedFd = std::shared_ptr<const OwnedFd>;
using Entry = MountNamespaceOptions::Entry;

bool IsOnProcfs(FdRef handle) {
  struct statfs status;
  return fstatfs(handle.get(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

absl::Status CheckIsMountNamespace(FdRef fd) {
  const absl::StatusOr<base::NamespaceType> type = base::NamespaceTypeOf(fd);
  if (type.ok() && *type == base::NamespaceType::kMnt) return absl::OkStatus();
  return ErrnoStatus(EINVAL, "use as a mount namespace", fd.path());
}

// The file of its own mountinfo that a task inside opens below the procfs `procfs`; its root where
// that is null.
InsideFile FileInside(const SharedFd& procfs) {
  if (procfs == nullptr) return {};
  return {.directory = *procfs, .path = "thread-self/mountinfo", .flags = O_RDONLY};
}

absl::StatusOr<OwnedFd> EnterByThread(const SharedFd& mount_namespace, const SharedFd& procfs,
                                      const RootOptions& options) {
  return options.caller->Run<OwnedFd>(
      absl::StrCat("enter ", mount_namespace->path()), options.timeout,
      [mount_namespace, procfs](const DeviceGate&) {
        return OpenRootByThisThread(*mount_namespace, FileInside(procfs));
      },
      BoundedCaller::Worker::kUsedOnce);
}

absl::StatusOr<OwnedFd> EnterByChild(const SharedFd& mount_namespace, const SharedFd& procfs,
                                     const RootOptions& options) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd owner, base::OpenOwner(*mount_namespace));
  const SharedFd user_namespace = std::make_shared<const OwnedFd>(std::move(owner));
  return options.caller->Run<OwnedFd>(
      absl::StrCat("enter ", mount_namespace->path()), options.timeout,
      [mount_namespace, procfs, user_namespace,
       timeout = options.timeout * 0.9](const DeviceGate&) {
        return OpenRootByChild(*mount_namespace, *user_namespace, timeout, FileInside(procfs));
      });
}

// What FileInside says, of `mount_namespace`.
absl::StatusOr<OwnedFd> Enter(const SharedFd& mount_namespace, const SharedFd& procfs,
                              const MountNamespaceOptions& options) {
  if (options.entry == Entry::kChild) return EnterByChild(mount_namespace, procfs, options.root);
  absl::StatusOr<OwnedFd> root = EnterByThread(mount_namespace, procfs, options.root);
  if (options.entry == Entry::kThread || base::ErrnoOf(root.status()) != EPERM) return root;
  // What is not allowed to the caller here may be to him there.
  absl::StatusOr<OwnedFd> by_child = EnterByChild(mount_namespace, procfs, options.root);
  // The first refusal says more than that the owner is out of reach as well.
  return by_child.ok() || base::ErrnoOf(by_child.status()) != EPERM ? std::move(by_child)
                                                                    : std::move(root);
}

// Opens the namespace file `name` of `directory`, or `file` where that is no directory of procfs.
absl::StatusOr<OwnedFd> OpenNamespaceFile(FdRef directory, const std::string& name,
                                          absl::StatusOr<OwnedFd> file) {
  if (IsOnProcfs(directory)) {
    // A magic link, followed on purpose. Whatever it leads to is not opened by this, and let go if
    // it is no namespace.
    file = base::OpenAt(directory, name, O_PATH | O_NONBLOCK | O_NOCTTY);
  }
  NSCTL_RETURN_IF_ERROR(file.status());
  if (!IsNamespaceFile(*file)) {
    return ErrnoStatus(EINVAL, "use as a mount namespace", file->path());
  }
  NSCTL_ASSIGN_OR_RETURN(const SelfFds self_fds, SelfFds::Open());
  return self_fds.Reopen(*file, O_RDONLY);
}

absl::StatusOr<OwnedFd> OpenReference(const Root& context, const std::string& reference,
                                      const RootOptions& options) {
  NSCTL_ASSIGN_OR_RETURN(Root::Parent parent, context.OpenParent(reference));
  auto directory = std::make_shared<const OwnedFd>(std::move(parent.directory));
  // Not followed by force where procfs is left: that is for the kernel's links alone.
  auto file = std::make_shared<absl::StatusOr<OwnedFd>>(context.Resolve(reference));
  return options.caller->Run<OwnedFd>(
      absl::StrCat("open ", DescribeInRoot(context.fd(), reference)), options.timeout,
      [directory, file, name = parent.name](const DeviceGate&) {
        return OpenNamespaceFile(*directory, name, std::move(*file));
      });
}

// A descriptor of our own for what may go on after its call.
absl::StatusOr<SharedFd> Share(FdRef fd) {
  const int copy = fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    const int error = errno;
    return ErrnoStatus(error, "fcntl F_DUPFD_CLOEXEC", fd.path());
  }
  return std::make_shared<const OwnedFd>(copy, std::string(fd.path()));
}

}  // namespace

absl::StatusOr<OwnedFd> OpenRootOf(FdRef mount_namespace, MountNamespaceOptions options) {
  if (options.root.caller == nullptr) options.root.caller = std::make_shared<BoundedCaller>();
  NSCTL_RETURN_IF_ERROR(CheckIsMountNamespace(mount_namespace));
  NSCTL_ASSIGN_OR_RETURN(const SharedFd shared, Share(mount_namespace));
  return Enter(shared, nullptr, options);
}

absl::StatusOr<std::string> ReadMountinfoInside(const Procfs& procfs, FdRef mount_namespace,
                                                size_t limit, MountNamespaceOptions options) {
  if (options.root.caller == nullptr) options.root.caller = std::make_shared<BoundedCaller>();
  NSCTL_RETURN_IF_ERROR(CheckIsMountNamespace(mount_namespace));
  NSCTL_ASSIGN_OR_RETURN(const SharedFd shared, Share(mount_namespace));
  NSCTL_ASSIGN_OR_RETURN(const SharedFd shared_procfs, Share(procfs.fd()));
  // The open file stays bound to where its opener was.
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd mountinfo, Enter(shared, shared_procfs, options));
  std::string text;
  NSCTL_RETURN_IF_ERROR(base::ReadToEnd(mountinfo, limit, &text));
  return text;
}

absl::StatusOr<MountNamespaceRoot> MountNamespaceRoot::OfNamespace(OwnedFd mount_namespace,
                                                                   MountNamespaceOptions options) {
  if (options.root.caller == nullptr) options.root.caller = std::make_shared<BoundedCaller>();
  NSCTL_RETURN_IF_ERROR(CheckIsMountNamespace(mount_namespace));
  auto shared = std::make_shared<const OwnedFd>(std::move(mount_namespace));
  NSCTL_ASSIGN_OR_RETURN(OwnedFd handle, Enter(shared, nullptr, options));
  NSCTL_ASSIGN_OR_RETURN(Root root, Root::OfFd(std::move(handle), std::move(options.root)));
  return MountNamespaceRoot(std::move(shared), std::move(root));
}

absl::StatusOr<MountNamespaceRoot> MountNamespaceRoot::OfProcess(
    const Procfs& procfs, base::Pid pid, std::optional<uint64_t> pidfd_inode,
    MountNamespaceOptions options) {
  NSCTL_ASSIGN_OR_RETURN(const GuardedProcess process,
                         GuardedProcess::Open(procfs, pid, pidfd_inode));
  NSCTL_ASSIGN_OR_RETURN(OwnedFd mount_namespace, process.directory().OpenNamespace("mnt"));
  NSCTL_RETURN_IF_ERROR(process.CheckAlive());
  return OfNamespace(std::move(mount_namespace), std::move(options));
}

absl::StatusOr<MountNamespaceRoot> MountNamespaceRoot::OfChain(
    absl::Span<const std::string> references, MountNamespaceOptions options) {
  if (references.empty()) return absl::InvalidArgumentError("a chain of no references");
  if (options.root.caller == nullptr) options.root.caller = std::make_shared<BoundedCaller>();
  RootOptions own_options = options.root;
  own_options.may_be_reader = true;
  NSCTL_ASSIGN_OR_RETURN(const Root own, Root::OfPath("/", std::move(own_options)));
  std::optional<MountNamespaceRoot> reached;
  for (const std::string& reference : references) {
    const Root& context = reached.has_value() ? reached->root() : own;
    NSCTL_ASSIGN_OR_RETURN(OwnedFd mount_namespace,
                           OpenReference(context, reference, options.root));
    NSCTL_ASSIGN_OR_RETURN(reached, OfNamespace(std::move(mount_namespace), options));
  }
  return *std::move(reached);
}

}  // namespace nsctl::procfsroot
