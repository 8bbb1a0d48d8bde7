// Shows what `nsctl mounts` answers.

#ifndef NSCTL_CMD_MOUNT_TEXT_H_
#define NSCTL_CMD_MOUNT_TEXT_H_

#include <cstddef>
#include <vector>

#include "cmd/mounts.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"

namespace nsctl::cmd {

struct MountTextOptions {
  std::vector<size_t> columns;
  // One table of all rows, paths as they are; else a tree for each namespace.
  bool flat = false;
  // Each namespace has a line before its tree: several were asked for.
  bool name_namespaces = false;
  // What an unmount and a mount of each row reach was asked for.
  bool reaches = false;
};

// The table or trees of `list`, and below them what was asked for besides.
void PrintMounts(const MountList& list, const MountTextOptions& options,
                 const Presentation& presentation, Writer* out);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_MOUNT_TEXT_H_
