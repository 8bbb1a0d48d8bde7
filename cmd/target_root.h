// From a TARGET to the root directory that its files are looked for in.

#ifndef NSCTL_CMD_TARGET_ROOT_H_
#define NSCTL_CMD_TARGET_ROOT_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "cmd/target.h"
#include "procfsroot/mount_namespace_root.h"
#include "procfsroot/procfs.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

class TargetRoot {
 public:
  explicit TargetRoot(procfsroot::Root root) : root_(std::move(root)) {}
  // Keeps the namespace as long as this object, so that its mounts stay together.
  explicit TargetRoot(procfsroot::MountNamespaceRoot mount_namespace)
      : mount_namespace_(
            std::make_shared<procfsroot::MountNamespaceRoot>(std::move(mount_namespace))) {}

  const procfsroot::Root& root() const {
    return mount_namespace_ != nullptr ? mount_namespace_->root() : *root_;
  }

 private:
  std::optional<procfsroot::Root> root_;
  std::shared_ptr<const procfsroot::MountNamespaceRoot> mount_namespace_;
};

// Of a process: its own root directory, be it by chroot(2), as a process of `procfs`. Of a mount
// namespace: the root of that. Of a path: the directory that it leads to, or, where it leads to a
// mount namespace (a bind mount of one, /proc/PID/ns/mnt, /proc/PID/fd/N), the root of that.
// `options.caller` must be set. Without `options.name` messages call files as users do:
// "TARGET:/etc".
//
// Errors: those of Root::OfProcess, FindMountNamespace and MountNamespaceRoot::OfNamespace;
// INVALID_ARGUMENT for a namespace of another type, ENOTDIR for another file and for a
// container, which is a process by now (container_target.h); DEADLINE_EXCEEDED where a path does
// not answer.
absl::StatusOr<TargetRoot> OpenTargetRoot(const Target& target, const procfsroot::Procfs& procfs,
                                          const procfsroot::RootOptions& options);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_ROOT_H_
