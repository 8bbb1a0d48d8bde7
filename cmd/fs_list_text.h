// Directories as ls(1) prints them.

#ifndef NSCTL_CMD_FS_LIST_TEXT_H_
#define NSCTL_CMD_FS_LIST_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cmd/fs.pb.h"
#include "cmd/presentation.h"
#include "cmd/writer.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace nsctl::cmd {

struct FsListStyle {
  // -l
  bool details = false;
  // -h
  bool human_sizes = false;
  // -i
  bool inodes = false;
  // -1: never several names in a line, as there are in lines of `width` cells.
  size_t width = 0;
  // Of dates; those of the last half year before `now` have a time of day, others a year.
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::Time now = absl::UnixEpoch();
};

// The lines of `entries`. Names are safe for a terminal, and in a pipe as well: they are stored
// text (base/text.h) in which control characters are escaped.
void PrintFiles(const google::protobuf::RepeatedPtrField<FsFile>& entries, const FsListStyle& style,
                const Presentation& presentation, Writer* out);

// The line "total N" before those, with -l: in blocks of 1 KiB, or as -h.
std::string TotalLine(const FsDirectory& directory, const FsListStyle& style);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_FS_LIST_TEXT_H_
