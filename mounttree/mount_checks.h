// Compares what this library says of mounts with the kernel, with findmnt, and with itself. Each
// function returns what differs, "" where nothing does, for use in RunInChild.

#ifndef NSCTL_MOUNTTREE_MOUNT_CHECKS_H_
#define NSCTL_MOUNTTREE_MOUNT_CHECKS_H_

#include <string>

#include "absl/status/statusor.h"
#include "mounttree/mount.pb.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"

namespace nsctl::mounttree {

// The mounts of the calling process's mount namespace, by one reader, placed (mount_tree.h).
absl::StatusOr<MountNamespace> ReadOwnMounts(const procfsroot::Procfs& procfs,
                                             ReadMountsOptions::Reader reader);

// `mount` without what one of the readers alone knows.
Mount CommonPart(Mount mount);

// How two lists of mounts differ, but for that.
std::string CompareMounts(const MountNamespace& a, const MountNamespace& b);

// The readers with each other, on the mounts of the calling process's mount namespace.
std::string CompareReaders(const procfsroot::Procfs& procfs);

// What is visible at each mount point, with what the kernel finds there (statx(2)) walking from the
// calling process's root.
std::string CompareWithKernel(const MountNamespace& mounts);

// Ids, paths, types, sources, options and propagation, with the output of findmnt, which runs in
// the calling process's mount namespace.
std::string CompareWithFindmnt(const MountNamespace& mounts);

// Whether the kernel's statmount tells all that mountinfo does (Linux 6.13 and later), so that it
// is what mounts are read with.
bool StatmountTellsAll(const procfsroot::Procfs& procfs);

// All of these, on the calling process's mounts; the last one alone where statmount tells less.
std::string CheckOwnMounts(const procfsroot::Procfs& procfs);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNT_CHECKS_H_
