// Descriptors that were opened by way of a mount of a namespace's file (/run/netns/x). Their links
// in /proc/PID/fd say the mount's path where those of others say "net:[4026532000]".

#ifndef NSCTL_NSDISC_MOUNTED_FILE_FDS_H_
#define NSCTL_NSDISC_MOUNTED_FILE_FDS_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/namespace_type.h"
#include "nsdisc/fd_reader.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {

class MountedFiles {
 public:
  // A mount of the file of `target` at `path`, with its number in mountinfo.
  void Add(absl::string_view path, uint32_t mount_id, const base::NamespaceLink& target);

  // Those of `descriptors` that are open on one of the mounts that were added, hidden or not, in
  // their order. The path alone proves nothing: other mounts, in other mount namespaces, have the
  // same. So does no inode number, which a FUSE server chooses. What proves it is the number of the
  // mount in fdinfo; nothing that is mounted is touched. System calls: four for each descriptor
  // with such a path, none for others.
  std::vector<FdFindings::NamespaceFile> Find(const procfsroot::Procfs& procfs,
                                              absl::Span<const FdFindings::Path> descriptors) const;

 private:
  struct Mounted {
    uint32_t mount_id;
    base::NamespaceLink target;
  };
  // By HashOfFdPath.
  absl::flat_hash_map<uint32_t, std::vector<Mounted>> mounted_;
};

}  // namespace nsctl::nsdisc

#endif  // NSCTL_NSDISC_MOUNTED_FILE_FDS_H_
