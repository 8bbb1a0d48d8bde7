#include "mounttree/mount_checks.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/kernel_abi.h"
#include "base/namespace_type.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "mounttree/mount.pb.h"
#include "mounttree/mount_tree.h"
#include "mounttree/read_mounts.h"
#include "procfsroot/procfs.h"

namespace nsctl::mounttree {
namespace {

using Reader = ReadMountsOptions::Reader;

// The 64-bit id of the mount that a walk along `path` ends at; nullopt where it does not get there.
std::optional<uint64_t> SeenByKernel(const std::string& path) {
  struct statx status;
  // Does not ask a server: FUSE mounts of these tests have none.
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (statx(AT_FDCWD, path.c_str(), kFlags, base::abi::kStatxMntIdUnique, &status) != 0 ||
      (status.stx_mask & base::abi::kStatxMntIdUnique) == 0) {
    return std::nullopt;
  }
  return status.stx_mnt_id;
}

// As findmnt --raw writes it: blanks, backslashes and what is not printable as \xHH.
std::string RawText(absl::string_view stored) {
  const std::string bytes = base::DecodeText(stored).value_or("");
  std::string raw;
  for (const char c : bytes) {
    if (c > ' ' && c < 0x7f && c != '\\') {
      raw.push_back(c);
    } else {
      absl::StrAppend(&raw, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return raw;
}

std::string PropagationText(const Mount& mount) {
  std::string text = mount.has_peer_group() ? "shared" : "private";
  if (mount.has_master()) text = mount.has_peer_group() ? "shared,slave" : "private,slave";
  if (mount.unbindable()) text += ",unbindable";
  return text;
}

std::string FindmntLine(const Mount& mount) {
  return absl::StrJoin(
      {absl::StrCat(mount.mount_id()), absl::StrCat(mount.parent_id()),
       absl::StrCat(mount.device_major(), ":", mount.device_minor()), RawText(mount.mount_point()),
       RawText(mount.fs_type()), RawText(mount.mount_options()), RawText(mount.super_options()),
       PropagationText(mount), RawText(mount.root()) + (mount.deleted() ? "//deleted" : "")},
      " ");
}

absl::StatusOr<std::string> RunFindmnt() {
  // NSCTL_ALLOW(name-service): the program of the test machine.
  FILE* const pipe = popen(
      "LC_ALL=C findmnt --raw --noheadings --nofsroot --kernel --output "
      "ID,PARENT,MAJ:MIN,TARGET,FSTYPE,VFS-OPTIONS,FS-OPTIONS,PROPAGATION,FSROOT",
      "re");
  if (pipe == nullptr) return base::ErrnoStatus(errno, "popen", "findmnt");
  std::string text;
  char piece[4096];
  for (size_t size; (size = fread(piece, 1, sizeof(piece), pipe)) > 0;) text.append(piece, size);
  if (pclose(pipe) != 0) return absl::UnknownError("findmnt failed");
  return text;
}

}  // namespace

absl::StatusOr<MountNamespace> ReadOwnMounts(const procfsroot::Procfs& procfs, Reader reader) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir self, procfs.OpenSelf());
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd fd, self.OpenNamespace("mnt"));
  MountNamespace mounts;
  NSCTL_RETURN_IF_ERROR(ReadMounts({.fd = fd, .procfs = &procfs, .process = base::Pid{getpid()}},
                                   {.reader = reader, .propagate_from = true}, &mounts));
  PlaceMounts(&mounts);
  return mounts;
}

Mount CommonPart(Mount mount) {
  mount.clear_unique_id();
  mount.clear_unique_parent_id();
  mount.clear_fs_magic();
  mount.clear_uid_map();
  mount.clear_gid_map();
  return mount;
}

std::string CompareMounts(const MountNamespace& a, const MountNamespace& b) {
  std::map<uint32_t, std::string> rows;
  for (const Mount& mount : a.mounts()) rows[mount.mount_id()] = CommonPart(mount).DebugString();
  std::string difference;
  for (const Mount& mount : b.mounts()) {
    const std::string row = CommonPart(mount).DebugString();
    if (rows[mount.mount_id()] != row) {
      absl::StrAppend(&difference, rows[mount.mount_id()], " but ", row, "\n");
    }
    rows.erase(mount.mount_id());
  }
  for (const auto& [id, row] : rows) absl::StrAppend(&difference, row, " but nothing\n");
  return difference;
}

std::string CompareReaders(const procfsroot::Procfs& procfs) {
  const auto statmount = ReadOwnMounts(procfs, Reader::kStatmount);
  if (!statmount.ok()) return statmount.status().ToString();
  for (const Reader reader : {Reader::kMountinfo, Reader::kMountinfoInside}) {
    const auto mountinfo = ReadOwnMounts(procfs, reader);
    if (!mountinfo.ok()) return mountinfo.status().ToString();
    const std::string difference = CompareMounts(*statmount, *mountinfo);
    if (!difference.empty()) {
      return absl::StrCat(MountNamespace::Reader_Name(mountinfo->reader()), ": ", difference);
    }
  }
  return "";
}

std::string CompareWithKernel(const MountNamespace& mounts) {
  std::string difference;
  for (const Mount& mount : mounts.mounts()) {
    if (!mount.has_mount_point()) continue;
    const std::optional<std::string> path = base::DecodeText(mount.mount_point());
    if (!path.has_value()) return absl::StrCat("not stored text: ", mount.mount_point());
    errno = 0;
    const bool is_seen = SeenByKernel(*path) == mount.unique_id();
    // Root of a user namespace cannot go everywhere.
    if (!is_seen && errno == EACCES) continue;
    const bool is_visible = mount.visibility() == Mount::visible;
    if (is_seen != is_visible || is_visible == mount.has_hidden_by()) {
      absl::StrAppend(&difference, is_seen ? "seen: " : "not seen: ", mount.ShortDebugString(),
                      "\n");
    }
  }
  return difference;
}

std::string CompareWithFindmnt(const MountNamespace& mounts) {
  const absl::StatusOr<std::string> text = RunFindmnt();
  if (!text.ok()) return text.status().ToString();
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n', absl::SkipEmpty());
  std::string difference;
  for (size_t i = 0; i < lines.size() || i < static_cast<size_t>(mounts.mounts_size()); ++i) {
    const std::string expected = i < lines.size() ? lines[i] : "nothing";
    const std::string line = i < static_cast<size_t>(mounts.mounts_size())
                                 ? FindmntLine(mounts.mounts(static_cast<int>(i)))
                                 : "nothing";
    if (line != expected)
      absl::StrAppend(&difference, "findmnt: ", expected, "\nours: ", line, "\n");
  }
  return difference;
}

bool StatmountTellsAll(const procfsroot::Procfs& procfs) {
  const auto mounts = ReadOwnMounts(procfs, Reader::kAuto);
  return mounts.ok() && mounts->reader() == MountNamespace::statmount;
}

std::string CheckOwnMounts(const procfsroot::Procfs& procfs) {
  const auto mounts = ReadOwnMounts(procfs, Reader::kAuto);
  if (!mounts.ok()) return mounts.status().ToString();
  if (mounts->reader() != MountNamespace::statmount) return CompareWithFindmnt(*mounts);
  for (std::string difference :
       {CompareReaders(procfs), CompareWithKernel(*mounts), CompareWithFindmnt(*mounts)}) {
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace nsctl::mounttree
