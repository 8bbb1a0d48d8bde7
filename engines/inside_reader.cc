#include "engines/inside_reader.h"

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "engines/process_scan.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

using procfsroot::ProcessDir;

// The kernel allows 32 levels.
constexpr int kMaxLevels = 40;

}  // namespace

bool InsideReader::FindOwn() {
  if (own_pid_namespace_ != 0) return true;
  const absl::StatusOr<ProcessDir> self = procfs_.OpenSelf();
  if (!self.ok()) return false;
  own_pid_namespace_ = ReadNamespaceInode(*self, "pid").value_or(0);
  own_mnt_namespace_ = ReadNamespaceInode(*self, "mnt").value_or(0);
  return own_pid_namespace_ != 0;
}

uint64_t InsideReader::InsideOf(base::Pid pid) {
  if (!FindOwn()) return 0;
  const absl::StatusOr<ProcessDir> process = procfs_.OpenProcess(pid);
  if (!process.ok()) return 0;
  const absl::StatusOr<uint64_t> inode = ReadNamespaceInode(*process, "pid");
  if (!inode.ok()) return 0;
  if (*inode == own_pid_namespace_) {
    const absl::StatusOr<uint64_t> mnt = ReadNamespaceInode(*process, "mnt");
    return mnt.ok() && *mnt != own_mnt_namespace_ ? *mnt : 0;
  }
  uint64_t below = *inode;
  absl::StatusOr<base::OwnedFd> ns = process->OpenNamespace("pid");
  for (int level = 0; ns.ok() && level < kMaxLevels; ++level) {
    ns = base::OpenParent(*ns);
    if (!ns.ok()) break;
    const absl::StatusOr<base::NamespaceId> id = base::NamespaceIdOf(*ns);
    if (!id.ok() || id->inode == own_pid_namespace_) break;
    below = id->inode;
  }
  return below;
}

}  // namespace nsctl::engines
