#include "cmd/fs_file.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace nsctl::cmd {
namespace {

using google::protobuf::Timestamp;

struct TypeRow {
  uint32_t mode;
  FsFile::Type type;
  char letter;
  const char* text;
};

constexpr TypeRow kTypes[] = {
    {S_IFREG, FsFile::file, '-', "regular file"},
    {S_IFDIR, FsFile::directory, 'd', "directory"},
    {S_IFLNK, FsFile::symlink, 'l', "symbolic link"},
    {S_IFIFO, FsFile::fifo, 'p', "fifo"},
    {S_IFSOCK, FsFile::socket, 's', "socket"},
    {S_IFCHR, FsFile::character_device, 'c', "character special file"},
    {S_IFBLK, FsFile::block_device, 'b', "block special file"},
};
constexpr TypeRow kUnknown = {0, FsFile::unknown, '?', "unknown"};

const TypeRow& RowOf(uint32_t mode) {
  for (const TypeRow& row : kTypes) {
    if ((mode & S_IFMT) == row.mode) return row;
  }
  return kUnknown;
}

// Of three letters the third, where a special bit may be shown.
char ExecuteLetter(bool may_execute, bool is_special, char letter) {
  if (!is_special) return may_execute ? 'x' : '-';
  return may_execute ? letter : static_cast<char>(letter - 'a' + 'A');
}

void Fill(const struct statx_timestamp& from, Timestamp* to) {
  to->set_seconds(from.tv_sec);
  to->set_nanos(static_cast<int32_t>(from.tv_nsec));
}

}  // namespace

FsFile::Type FsTypeOf(uint32_t mode) { return RowOf(mode).type; }

const char* FsTypeText(FsFile::Type type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.text;
  }
  return kUnknown.text;
}

std::string ModeText(uint32_t mode) {
  const auto letter = [mode](uint32_t bit, char name) { return (mode & bit) != 0 ? name : '-'; };
  return {
      RowOf(mode).letter,
      letter(S_IRUSR, 'r'),
      letter(S_IWUSR, 'w'),
      ExecuteLetter((mode & S_IXUSR) != 0, (mode & S_ISUID) != 0, 's'),
      letter(S_IRGRP, 'r'),
      letter(S_IWGRP, 'w'),
      ExecuteLetter((mode & S_IXGRP) != 0, (mode & S_ISGID) != 0, 's'),
      letter(S_IROTH, 'r'),
      letter(S_IWOTH, 'w'),
      ExecuteLetter((mode & S_IXOTH) != 0, (mode & S_ISVTX) != 0, 't'),
  };
}

void FillFsFile(const struct statx& status, FsFile* file) {
  const auto told = [&status](uint32_t mask) { return (status.stx_mask & mask) != 0; };
  if (told(STATX_TYPE)) file->set_type(FsTypeOf(status.stx_mode));
  if (told(STATX_MODE)) {
    file->set_mode(status.stx_mode & 07777);
    file->set_mode_text(ModeText(status.stx_mode));
  }
  if (told(STATX_NLINK)) file->set_links(status.stx_nlink);
  if (told(STATX_UID)) file->set_uid(status.stx_uid);
  if (told(STATX_GID)) file->set_gid(status.stx_gid);
  if (told(STATX_SIZE)) file->set_size(status.stx_size);
  if (told(STATX_BLOCKS)) file->set_blocks(status.stx_blocks);
  if (told(STATX_MTIME)) Fill(status.stx_mtime, file->mutable_modified());
  if (told(STATX_ATIME)) Fill(status.stx_atime, file->mutable_accessed());
  if (told(STATX_CTIME)) Fill(status.stx_ctime, file->mutable_changed());
  if (told(STATX_BTIME)) Fill(status.stx_btime, file->mutable_born());
  if (told(STATX_INO)) file->set_inode(status.stx_ino);
  file->set_device(absl::StrCat(status.stx_dev_major, ":", status.stx_dev_minor));
  if (file->type() == FsFile::character_device || file->type() == FsFile::block_device) {
    file->set_device_number(absl::StrCat(status.stx_rdev_major, ":", status.stx_rdev_minor));
  }
  if (told(STATX_MNT_ID)) file->set_mount_id(status.stx_mnt_id);
  file->set_mount_root((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0);
}

absl::Time TimeOf(const Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string HumanSize(uint64_t bytes) {
  constexpr absl::string_view kUnits = "KMGTPE";
  if (bytes < 1024) return absl::StrCat(bytes);
  size_t unit = 0;
  uint64_t divisor = 1024;
  while (unit + 1 < kUnits.size() && bytes / divisor >= 1024) {
    divisor *= 1024;
    ++unit;
  }
  // Rounded up, as what does not fit would be worse than what is left over.
  const uint64_t tenths = bytes / divisor * 10 + ((bytes % divisor) * 10 + divisor - 1) / divisor;
  if (tenths < 100) return absl::StrFormat("%d.%d%c", tenths / 10, tenths % 10, kUnits[unit]);
  const uint64_t whole = bytes / divisor + (bytes % divisor != 0 ? 1 : 0);
  if (whole == 1024 && unit + 1 < kUnits.size()) return absl::StrFormat("1.0%c", kUnits[unit + 1]);
  return absl::StrFormat("%d%c", whole, kUnits[unit]);
}

absl::string_view LastComponent(absl::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

}  // namespace nsctl::cmd
