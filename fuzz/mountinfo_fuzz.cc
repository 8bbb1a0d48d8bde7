// A mountinfo that is read is read again from what its rows are written as, all its text is stored
// text, and an error is one line that names a line which is there.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/text.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mountinfo.h"
#include "mounttree/read_mounts.h"

using nsctl::mounttree::MountinfoRow;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 64 << 10) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::string again;
  const absl::Status status = nsctl::mounttree::ForEachMount(text, [&](const MountinfoRow& row) {
    absl::StrAppend(&again, row.mount_id, " ", row.parent_id, " ", row.device_major, ":",
                    row.device_minor, " ");
    absl::StrAppend(&again, row.root, " ", row.mount_point, " ", row.mount_options, " ", row.tags,
                    row.tags.empty() ? "- " : " - ");
    absl::StrAppend(&again, row.file_system, " ", row.source, " ", row.super_options, "\n");
  });
  nsctl::mounttree::MountNamespace first, second;
  if (nsctl::mounttree::ParseMounts(text, 10000, &first).ok() != status.ok()) abort();
  if (!status.ok()) {
    absl::string_view message = status.message();
    size_t line = 0;
    message.remove_prefix(std::min(message.size(), absl::string_view("mountinfo line ").size()));
    if (!absl::SimpleAtoi(message.substr(0, message.find(':')), &line) || line == 0) abort();
    if (line > 1 + static_cast<size_t>(std::count(text.begin(), text.end(), '\n'))) abort();
    if (absl::StrContains(message, '\n') || first.ByteSizeLong() != 0) abort();
    return 0;
  }
  if (!nsctl::mounttree::ParseMounts(again, 10000, &second).ok()) abort();
  if (first.SerializeAsString() != second.SerializeAsString()) abort();
  for (const nsctl::mounttree::Mount& mount : first.mounts()) {
    for (const std::string& stored : {mount.root(), mount.mount_point(), mount.fs_type(),
                                      mount.source(), mount.super_options()}) {
      if (!nsctl::base::DecodeText(stored).has_value()) abort();
    }
  }
  return 0;
}
