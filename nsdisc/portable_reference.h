// Names for namespaces that can be stored, sent, and opened again later, and that lead to the same
// namespace or nowhere.
//
// Inodes and PIDs are dealt again, and paths lead elsewhere by and by. A reference holds all that
// was known when it was made, and all of it must still hold.

#ifndef NSCTL_NSDISC_PORTABLE_REFERENCE_H_
#define NSCTL_NSDISC_PORTABLE_REFERENCE_H_

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "nsdisc/namespace.pb.h"
#include "nsdisc/snapshot_index.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// The reference for `ns`, a namespace of the index's snapshot.
PortableReference MakePortableReference(const SnapshotIndex& index, const Namespace& ns);

// Opens the namespace that `reference` was made for: by its path, else by its kernel id.
//
// Errors: FAILED_PRECONDITION where it is of another boot of the kernel, or `procfs` is not the
// running kernel's; ESTALE where the namespace is gone, or what is at the path is another one (of
// another type, inode, device or id, or of a process that started at another time);
// INVALID_ARGUMENT where it lacks a type or an inode, or has neither path nor id; else those of
// opening the path.
absl::StatusOr<base::OwnedFd> OpenPortableReference(const procfsroot::Procfs& procfs,
                                                    const PortableReference& reference);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_PORTABLE_REFERENCE_H_
