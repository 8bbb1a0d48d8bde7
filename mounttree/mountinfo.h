// The rows of a mountinfo file, as views into its text.
//
// This library parses; it opens nothing. Text fields are as the kernel wrote them, with blanks,
// tabs, newlines, backslashes and '#' as octal escapes: DecodeMountText turns them into bytes.
// Source: proc_pid_mountinfo(5), fs/proc_namespace.c.

#ifndef NSCTL_MOUNTTREE_MOUNTINFO_H_
#define NSCTL_MOUNTTREE_MOUNTINFO_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::mounttree {

struct MountinfoRow {
  // Dealt again after an unmount.
  uint32_t mount_id = 0;
  uint32_t parent_id = 0;
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  // The directory of the file system that is mounted; for nsfs "net:[4026531840]".
  absl::string_view root;
  // Relative to the reader's root directory.
  absl::string_view mount_point;
  absl::string_view mount_options;
  // Blank-separated "tag[:value]" words between the options and the lone hyphen; any number of
  // them.
  absl::string_view tags;
  // With its subtype: "fuse.sshfs".
  absl::string_view file_system;
  // Empty where the kernel printed an empty source.
  absl::string_view source;
  absl::string_view super_options;
};

// Calls `visit` for each line of `text`. A last line without its newline counts. INVALID_ARGUMENT,
// naming the line and the field, at the first line that is no row; rows before it were visited.
// Allocates nothing on success.
absl::Status ForEachMount(absl::string_view text,
                          absl::FunctionRef<void(const MountinfoRow&)> visit);

// "8:1" -> 8 and 1. False for anything else; the numbers are then undefined.
bool ParseDeviceNumber(absl::string_view text, uint32_t* device_major, uint32_t* device_minor);

// Decodes \ooo; any other backslash stays as it is.
std::string DecodeMountText(absl::string_view text);

}  // namespace nsctl::mounttree

#endif  // NSCTL_MOUNTTREE_MOUNTINFO_H_
