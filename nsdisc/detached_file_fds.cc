#include "nsdisc/detached_file_fds.h"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/status_macros.h"
#include "nsdisc/namespace_way.h"
#include "procfsroot/namespace_file.h"

namespace nsctl::nsdisc {
namespace {

constexpr size_t kMaxFdinfo = 16 << 10;
// Namespaces have the numbers from PROC_DYNAMIC_FIRST (fs/proc/generic.c) on, and a few right below
// it. Root directories have small ones.
constexpr uint64_t kFirstNamespaceInode = 0xE0000000;

// Source: proc_pid_fdinfo(5); before Linux 5.15 it does not tell the inode.
bool MayBeNamespace(absl::string_view fdinfo) {
  for (absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    uint64_t inode = 0;
    if (!absl::ConsumePrefix(&line, "ino:")) continue;
    if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(line), &inode)) return false;
    return inode >= kFirstNamespaceInode && inode <= std::numeric_limits<uint32_t>::max();
  }
  return true;
}

absl::StatusOr<base::NamespaceLink> LookAt(const procfsroot::ProcessDir& dir, int fd) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd handle,
                         base::OpenAt(dir.fd(), absl::StrCat("fd/", fd), O_PATH));
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd file, procfsroot::ReopenNamespaceFile(handle));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceType type, base::NamespaceTypeOf(file));
  NSCTL_ASSIGN_OR_RETURN(const base::NamespaceId id, base::NamespaceIdOf(file));
  return base::NamespaceLink{type, id.inode};
}

}  // namespace

std::vector<FdFindings::NamespaceFile> FindDetachedFiles(const procfsroot::Procfs& procfs,
                                                         absl::Span<const FdPlace> descriptors) {
  std::vector<FdFindings::NamespaceFile> found;
  if (!procfs.is_kernel()) return found;
  std::string text;
  for (const FdPlace& place : descriptors) {
    const absl::StatusOr<procfsroot::ProcessDir> dir =
        OpenHolder(procfs, {.pid = place.pid, .tid = place.tid});
    // Gone meanwhile, like what follows.
    if (!dir.ok()) continue;
    const std::string fdinfo = absl::StrCat("fdinfo/", place.fd);
    if (dir->TryReadRecord(fdinfo.c_str(), kMaxFdinfo, &text) != 0) continue;
    if (!MayBeNamespace(text)) continue;
    const absl::StatusOr<base::NamespaceLink> target = LookAt(*dir, place.fd);
    if (target.ok()) found.push_back({place, *target});
  }
  return found;
}

}  // namespace nsctl::nsdisc
