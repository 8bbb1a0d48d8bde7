// From a TARGET to the mount namespace that it is in, or is.

#ifndef NSCTL_CMD_TARGET_MOUNT_NAMESPACE_H_
#define NSCTL_CMD_TARGET_MOUNT_NAMESPACE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "cmd/target.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

struct TargetMountNamespace {
  base::OwnedFd fd;
  // The process that was named.
  std::optional<base::Pid> process;
};

// Opens the mount namespace of a process of `procfs`, a namespace by its number, or the file of one
// at a path (a bind mount, /proc/PID/ns/mnt, /proc/PID/fd/N).
//
// Errors: those of GuardedProcess and FindMountNamespace; EACCES without PTRACE_MODE_READ_FSCREDS;
// INVALID_ARGUMENT for a namespace of another type, for other files, and for a container, which is
// a process by now (container_target.h); DEADLINE_EXCEEDED where a path does not answer.
absl::StatusOr<TargetMountNamespace> OpenMountNamespace(const Target& target,
                                                        const procfsroot::Procfs& procfs);

// The error for a target that is a namespace of another type than mnt.
absl::Status NoMountNamespace(const NamespaceTarget& target);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_TARGET_MOUNT_NAMESPACE_H_
