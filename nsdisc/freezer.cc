#include "nsdisc/freezer.h"

#include <fcntl.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mountinfo.h"

namespace nsctl::nsdisc {
namespace {

constexpr size_t kMaxStateFile = 4096;

bool HasWord(absl::string_view list, absl::string_view word) {
  for (const absl::string_view one : absl::StrSplit(list, ',')) {
    if (one == word) return true;
  }
  return false;
}

CgroupMount OpenMount(const mounttree::MountinfoRow& row) {
  const std::string path = mounttree::DecodeMountText(row.mount_point);
  absl::StatusOr<base::OwnedFd> directory =
      base::OpenAt(base::FdRef(AT_FDCWD), path, O_PATH | O_DIRECTORY);
  if (!directory.ok()) return {};
  return {*std::move(directory), mounttree::DecodeMountText(row.root)};
}

// Consumes one step out of the reader's cgroup namespace.
bool ConsumeStepUp(absl::string_view* path) {
  if (*path != "/.." && !absl::StartsWith(*path, "/../")) return false;
  path->remove_prefix(3);
  return true;
}

// The path of `cgroup` below the mount, "." for the mount's root. cgroup names cannot hold "/", "."
// or "..", so a path from the kernel stays below the mount. Both paths are as the reader's cgroup
// namespace shows them; where both lie outside, by as many steps, they start from the same place.
absl::StatusOr<std::string> PathBelow(const CgroupMount& mount, absl::string_view cgroup) {
  absl::string_view root = mount.root;
  while (absl::StartsWith(cgroup, "/..") && absl::StartsWith(root, "/..")) {
    if (!ConsumeStepUp(&cgroup) || !ConsumeStepUp(&root)) break;
  }
  if (absl::StartsWith(cgroup, "/..") || absl::StartsWith(root, "/..")) {
    return absl::FailedPreconditionError("outside of the scanner's cgroup namespace");
  }
  if (root != "/" && !root.empty() && !absl::ConsumePrefix(&cgroup, root)) {
    return absl::FailedPreconditionError("outside of the mounted part of the hierarchy");
  }
  if (!cgroup.empty() && cgroup[0] != '/') {
    return absl::FailedPreconditionError("outside of the mounted part of the hierarchy");
  }
  return absl::StrCat(".", cgroup);
}

absl::StatusOr<std::string> ReadState(const CgroupMount& mount, absl::string_view cgroup,
                                      absl::string_view file) {
  const std::optional<std::string> path = base::DecodeText(cgroup);
  if (!path.has_value()) return absl::InvalidArgumentError("no stored text");
  NSCTL_ASSIGN_OR_RETURN(const std::string below, PathBelow(mount, *path));
  return base::ReadFileAt(mount.directory, absl::StrCat(below, "/", file), kMaxStateFile);
}

// The "frozen" line of cgroup.events, which kernels before 5.2 lack.
std::optional<bool> ParseEvents(absl::string_view events) {
  for (const absl::string_view line : absl::StrSplit(events, '\n')) {
    if (line == "frozen 1") return true;
    if (line == "frozen 0") return false;
  }
  return std::nullopt;
}

const Cgroups::V1* FindFreezer(const Cgroups& cgroups) {
  for (const Cgroups::V1& v1 : cgroups.v1()) {
    if (HasWord(v1.controllers(), "freezer")) return &v1;
  }
  return nullptr;
}

// What `file` of the cgroup says; nullopt where the hierarchy is not mounted.
absl::StatusOr<std::optional<bool>> IsFrozenAt(const CgroupMount& mount, const std::string& path,
                                               absl::string_view file) {
  if (!mount.directory.ok()) return std::optional<bool>();
  const absl::StatusOr<std::string> state = ReadState(mount, path, file);
  // A hierarchy's root cannot be frozen and has no such file; seen from a cgroup namespace "/" may
  // be another cgroup, which has one.
  if (path == "/" && base::IsGone(state.status())) return std::optional<bool>(false);
  NSCTL_RETURN_IF_ERROR(state.status());
  return file == "freezer.state" ? std::optional<bool>(absl::StartsWith(*state, "FR"))
                                 : ParseEvents(*state);
}

}  // namespace

Freezer Freezer::FromMountinfo(absl::string_view mountinfo) {
  CgroupMount v1_freezer;
  CgroupMount unified;
  // A malformed line ends the search; what was found before it holds.
  mounttree::ForEachMount(mountinfo, [&](const mounttree::MountinfoRow& row) {
    if (row.file_system == "cgroup2" && !unified.directory.ok()) unified = OpenMount(row);
    if (row.file_system == "cgroup" && HasWord(row.super_options, "freezer") &&
        !v1_freezer.directory.ok()) {
      v1_freezer = OpenMount(row);
    }
  }).IgnoreError();
  return Freezer(std::move(v1_freezer), std::move(unified));
}

absl::StatusOr<std::optional<bool>> Freezer::IsFrozen(const Cgroups& cgroups) const {
  using Answer = absl::StatusOr<std::optional<bool>>;
  const Cgroups::V1* const v1 = FindFreezer(cgroups);
  const Answer by_v1 = v1 != nullptr ? IsFrozenAt(v1_freezer_, v1->path(), "freezer.state")
                                     : Answer(std::optional<bool>());
  if (by_v1.ok() && by_v1->value_or(false)) return by_v1;
  const Answer by_v2 = cgroups.has_unified()
                           ? IsFrozenAt(unified_, cgroups.unified(), "cgroup.events")
                           : Answer(std::optional<bool>());
  // One that says no does not speak for the other.
  if (by_v2.ok() && by_v2->value_or(false)) return by_v2;
  NSCTL_RETURN_IF_ERROR(by_v1.status());
  NSCTL_RETURN_IF_ERROR(by_v2.status());
  return by_v1->has_value() ? by_v1 : by_v2;
}

}  // namespace nsctl::nsdisc
