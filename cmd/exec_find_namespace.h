// A namespace by its number, wherever on the host it can be reached.

#ifndef NSCTL_CMD_EXEC_FIND_NAMESPACE_H_
#define NSCTL_CMD_EXEC_FIND_NAMESPACE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/namespace_type.h"
#include "nsdisc/questions.h"
#include "nsentry/namespace_reference.h"
#include "procfsroot/procfs.h"

namespace nsctl::cmd {

// The namespace with this inode, through a process, a thread, a descriptor, a bind mount of the
// caller's, or a socket or TUN file that somebody has open. Errors: NOT_FOUND, which says how much
// could not be looked at; those of Discover.
absl::StatusOr<nsentry::NamespaceReference> FindNamespaceByInode(const procfsroot::Procfs& procfs,
                                                                 const nsdisc::Questions& questions,
                                                                 base::NamespaceType type,
                                                                 uint32_t inode);

// The namespace with the kernel's 64-bit id: opened by its handle where the kernel can
// (Linux 6.19), else as above.
absl::StatusOr<nsentry::NamespaceReference> FindNamespaceById(const procfsroot::Procfs& procfs,
                                                              const nsdisc::Questions& questions,
                                                              base::NamespaceType type,
                                                              uint64_t kernel_id);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_EXEC_FIND_NAMESPACE_H_
