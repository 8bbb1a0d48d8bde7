// Descriptors of namespaces' files that are mounted nowhere any more: opened by way of a mount that
// was detached since, in a mount namespace that is gone, or by open_tree(2). Their links in
// /proc/PID/fd say "/" as that of every root directory does.

#ifndef NSCTL_NSDISC_DETACHED_FILE_FDS_H_
#define NSCTL_NSDISC_DETACHED_FILE_FDS_H_

#include <vector>

#include "absl/types/span.h"
#include "nsdisc/fd_reader.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

// Those of `descriptors` that are open on a namespace's file, in their order. The inode number in
// fdinfo tells which may be; whose file system that is, a handle says without asking a server, and
// only what is a namespace is opened. System calls: four for each descriptor, some fifteen more for
// those with a namespace's number. None in a recorded tree.
std::vector<FdFindings::NamespaceFile> FindDetachedFiles(const procfsroot::Procfs& procfs,
                                                         absl::Span<const FdPlace> descriptors);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_DETACHED_FILE_FDS_H_
