#include "cmd/exec_cgroups.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mountinfo.h"
#include "procfsroot/process_files.h"

namespace nsctl::cmd {
namespace {

using mounttree::MountinfoRow;
using procfsroot::CgroupLine;

constexpr size_t kMaxMountinfo = 256 << 20;

// A hierarchy of version 1 is known by its controllers, or its name, among the mount's options.
bool IsHierarchy(const MountinfoRow& row, const CgroupLine& line) {
  if (line.hierarchy == 0) return row.file_system == "cgroup2";
  if (row.file_system != "cgroup") return false;
  const std::vector<absl::string_view> options = absl::StrSplit(row.super_options, ',');
  const std::vector<absl::string_view> wanted = absl::StrSplit(line.controllers, ',');
  return std::all_of(wanted.begin(), wanted.end(), [&](absl::string_view controller) {
    return std::find(options.begin(), options.end(), controller) != options.end();
  });
}

// Where `path` of the hierarchy is below the mount; empty where it is not.
std::string BelowMount(const MountinfoRow& row, absl::string_view path) {
  const std::string root = mounttree::DecodeMountText(row.root);
  std::string mount_point = mounttree::DecodeMountText(row.mount_point);
  if (root == "/") return absl::StrCat(mount_point, path == "/" ? "" : path);
  if (path == root) return mount_point;
  if (!absl::StartsWith(path, absl::StrCat(root, "/"))) return "";
  return absl::StrCat(mount_point, path.substr(root.size()));
}

// "/..": above the caller's cgroup namespace.
bool IsOutside(absl::string_view path) { return path == "/.." || absl::StartsWith(path, "/../"); }

}  // namespace

absl::StatusOr<std::vector<std::string>> CgroupDirectories(absl::string_view cgroup,
                                                           absl::string_view mountinfo) {
  std::vector<std::string> directories;
  absl::Status status;
  const auto visit = [&](const CgroupLine& line) {
    bool is_mounted = false;
    std::string directory;
    status.Update(mounttree::ForEachMount(mountinfo, [&](const MountinfoRow& row) {
      if (!directory.empty() || !IsHierarchy(row, line)) return;
      is_mounted = true;
      directory = BelowMount(row, line.path);
    }));
    if (!is_mounted) return;
    if (directory.empty() || IsOutside(line.path)) {
      status.Update(absl::NotFoundError(
          absl::StrCat("cgroup ", base::TerminalText(base::EncodeText(line.path)),
                       " is not below what is mounted here")));
    }
    directories.push_back(directory);
  };
  NSCTL_RETURN_IF_ERROR(procfsroot::ParseCgroup(cgroup, visit));
  NSCTL_RETURN_IF_ERROR(status);
  if (directories.empty()) return absl::NotFoundError("no cgroups are mounted here");
  return directories;
}

absl::StatusOr<std::vector<base::OwnedFd>> OpenCgroupsOf(const procfsroot::ProcessDir& process,
                                                         const procfsroot::ProcessDir& self) {
  NSCTL_ASSIGN_OR_RETURN(const std::string cgroup, process.Read("cgroup", procfsroot::kMaxCgroup));
  NSCTL_ASSIGN_OR_RETURN(const std::string mountinfo, self.Read("mountinfo", kMaxMountinfo));
  NSCTL_ASSIGN_OR_RETURN(const std::vector<std::string> directories,
                         CgroupDirectories(cgroup, mountinfo));
  std::vector<base::OwnedFd> files;
  for (const std::string& directory : directories) {
    NSCTL_ASSIGN_OR_RETURN(
        base::OwnedFd file,
        base::OpenAt(base::FdRef(AT_FDCWD), absl::StrCat(directory, "/cgroup.procs"), O_WRONLY));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace nsctl::cmd
