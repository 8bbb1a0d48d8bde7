// The mounts of the mount namespaces that a scan found.
//
// This reads; mounttree/ knows what the rows mean. Nothing is mounted, entered or looked at in a
// mounted file system unless the kernel has no other way to tell (mounttree/read_mounts.h).

#ifndef NSCTL_NSDISC_MOUNT_SCAN_H_
#define NSCTL_NSDISC_MOUNT_SCAN_H_

#include "absl/status/status.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "mounttree/mount.pb.h"
#include "mounttree/read_mounts.h"
#include "nsdisc/gap_list.h"
#include "nsdisc/namespace.pb.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

struct MountScanOptions {
  mounttree::ReadMountsOptions read = {};
  // 0: base::DefaultThreadCount().
  int worker_threads = 0;
};

// Reads the mounts of `ns`, a mount namespace as a scan of `procfs` found it, into `out`: by the
// kernel's id where it has one, else by the process that stands for it, else by the way its
// reference gives. Mounts are placed (mounttree/mount_tree.h). Errors: those of ReadMounts;
// NOT_FOUND where no way leads to it.
absl::Status ReadMountsOf(const Namespace& ns, const procfsroot::Procfs& procfs,
                          const mounttree::ReadMountsOptions& options,
                          mounttree::MountNamespace* out);

// The same for every mount namespace among `namespaces`, in their order. One whose mounts cannot be
// read is left out and a gap; one that is gone meanwhile is left out. What single mounts lack is a
// gap as well.
void ScanMounts(const google::protobuf::RepeatedPtrField<Namespace>& namespaces,
                const procfsroot::Procfs& procfs, const MountScanOptions& options,
                google::protobuf::RepeatedPtrField<mounttree::MountNamespace>* out, GapList* gaps);

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_MOUNT_SCAN_H_
