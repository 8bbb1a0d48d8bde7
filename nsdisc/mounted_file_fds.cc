#include "nsdisc/mounted_file_fds.h"

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace nsctl::nsdisc {
namespace {

constexpr size_t kMaxFdinfo = 16 << 10;

// Source: proc_pid_fdinfo(5). nullopt where the descriptor is gone.
std::optional<uint32_t> MountIdOf(const procfsroot::Procfs& procfs, const FdPlace& place) {
  const absl::StatusOr<procfsroot::ProcessDir> dir = procfs.OpenProcess({place.pid});
  if (!dir.ok()) return std::nullopt;
  const std::string path = place.tid == 0 ? absl::StrCat("fdinfo/", place.fd)
                                          : absl::StrCat("task/", place.tid, "/fdinfo/", place.fd);
  std::string text;
  if (dir->TryReadRecord(path.c_str(), kMaxFdinfo, &text) != 0) return std::nullopt;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    uint32_t mount_id = 0;
    if (absl::ConsumePrefix(&line, "mnt_id:") &&
        absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &mount_id)) {
      return mount_id;
    }
  }
  return std::nullopt;
}

}  // namespace

void MountedFiles::Add(absl::string_view path, uint32_t mount_id,
                       const base::NamespaceLink& target) {
  mounted_[HashOfFdPath(path)].push_back({mount_id, target});
}

std::vector<FdFindings::NamespaceFile> MountedFiles::Find(
    const procfsroot::Procfs& procfs, absl::Span<const FdFindings::Path> descriptors) const {
  std::vector<FdFindings::NamespaceFile> found;
  if (mounted_.empty()) return found;
  for (const FdFindings::Path& descriptor : descriptors) {
    const auto candidates = mounted_.find(descriptor.hash);
    if (candidates == mounted_.end()) continue;
    const std::optional<uint32_t> mount_id = MountIdOf(procfs, descriptor.place);
    if (!mount_id.has_value()) continue;
    for (const Mounted& mounted : candidates->second) {
      if (mounted.mount_id != *mount_id) continue;
      found.push_back({descriptor.place, mounted.target});
      break;
    }
  }
  return found;
}

}  // namespace nsctl::nsdisc
