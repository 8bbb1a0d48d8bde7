// The way that a path takes through another root: the links it follows and the mounts it enters.

#ifndef NSCTL_CMD_FS_TRACE_H_
#define NSCTL_CMD_FS_TRACE_H_

#include <string>

#include "cmd/fs.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {

// The steps of `path` (bytes) from the root of `root`, as far as it leads. For people: each is
// looked at by itself, so they need not fit together where somebody renames files meanwhile.
google::protobuf::RepeatedPtrField<FsResolved::Step> TracePath(const procfsroot::Root& root,
                                                               const std::string& path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_TRACE_H_
