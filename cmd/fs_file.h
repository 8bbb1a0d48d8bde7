// A file's status, as the kernel tells it, in the message that results hold, and as people read it.

#ifndef NSCTL_CMD_FS_FILE_H_
#define NSCTL_CMD_FS_FILE_H_

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cmd/fs.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace nsctl::cmd {

FsFile::Type FsTypeOf(uint32_t mode);

// "regular file", "symbolic link": as stat(1) says it.
const char* FsTypeText(FsFile::Type type);

// "drwxr-sr-t" for a st_mode.
std::string ModeText(uint32_t mode);

// Fills all but path, name and link_target.
void FillFsFile(const struct statx& status, FsFile* file);

absl::Time TimeOf(const google::protobuf::Timestamp& time);

// "1.5K", "12M": as ls -h and du -h say it, rounded up, in powers of 1024.
std::string HumanSize(uint64_t bytes);

// The last component of `path` (bytes); "/" for the root.
absl::string_view LastComponent(absl::string_view path);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_FILE_H_
