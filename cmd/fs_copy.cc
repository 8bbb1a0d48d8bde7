#include "cmd/fs_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cmd/fs_file.h"
#include "procfsroot/root.h"

namespace nsctl::cmd {
namespace {

using base::ErrnoOf;
using base::OwnedFd;
using procfsroot::BoundedFile;
using procfsroot::DataExtent;
using procfsroot::OpenedEntry;
using procfsroot::TreeDirectory;

// Files up to this are taken in one step.
constexpr size_t kShortFile = size_t{128} << 10;
constexpr size_t kPiece = size_t{1} << 20;
// Of what the kernel copies by itself. Small enough for the slowest disk to make it in time.
constexpr uint64_t kRange = uint64_t{8} << 20;
constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kToTheEnd = std::numeric_limits<int64_t>::max();
constexpr int kMaxGaps = 10000;

struct timespec TimeOf(const struct statx_timestamp& time) {
  return {.tv_sec = time.tv_sec, .tv_nsec = static_cast<long>(time.tv_nsec)};
}

// copy_file_range(2) does not do it between these two; reading and writing may.
bool IsNotForRanges(const absl::Status& status) {
  switch (ErrnoOf(status)) {
    case EXDEV:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
    case EPERM:
    case EBADF:
    case ETXTBSY:
      return true;
    default:
      return false;
  }
}

absl::Status WriteAt(const OwnedFd& file, absl::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    const int error = errno;
    if (count < 0 && error == EINTR) continue;
    if (count <= 0) return base::ErrnoStatus(count < 0 ? error : EIO, "write", file.path());
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

std::string Shown(absl::string_view stored) { return base::TerminalText(stored); }

}  // namespace

// A directory that is being copied.
struct FsCopier::Frame {
  TreeDirectory source;
  CopyDestination destination;
  struct statx status;
  // What messages call it: "1234:/etc".
  std::string shown;
  // Not to be changed where it was there before.
  bool is_new;
  std::vector<std::string> names = {};
  size_t next = 0;
};

absl::Status FsCopier::Copy(const FsOperand& operand, const CopyDestination& destination,
                            const std::string& name) {
  const procfsroot::PathRules rules = {.follow_last =
                                           options_.follow || absl::EndsWith(operand.path, "/")};
  NSCTL_ASSIGN_OR_RETURN(const struct statx status, operand.root->Stat(operand.path, rules));
  if (S_ISDIR(status.stx_mode)) {
    return CopyTree(operand, destination, std::string(absl::StripSuffix(name, "/")));
  }
  if (name.empty() || absl::EndsWith(name, "/")) {
    return base::ErrnoStatus(ENOTDIR, "copy to", base::DescribePath(destination.fd(), name));
  }
  NSCTL_RETURN_IF_ERROR(CheckNotMade(destination, name, operand.Name()));
  NSCTL_RETURN_IF_ERROR(destination.CheckReplaceable(name, status));
  if (S_ISLNK(status.stx_mode)) {
    NSCTL_ASSIGN_OR_RETURN(const std::string text, operand.root->ReadLink(operand.path));
    return CopyLink(text, status, operand.Name(), destination, name);
  }
  if (!S_ISREG(status.stx_mode)) {
    return absl::FailedPreconditionError(absl::StrCat("copy ", Shown(operand.Name()), ": is a ",
                                                      FsTypeText(FsTypeOf(status.stx_mode)),
                                                      ", which is not copied"));
  }
  NSCTL_ASSIGN_OR_RETURN(OwnedFd opened, operand.root->Open(operand.path, O_RDONLY, rules));
  BoundedFile file(options_.caller, options_.timeout, std::move(opened));
  return CopyFile(&file, "", status, operand.Name(), destination, name);
}

absl::Status FsCopier::CopyTree(const FsOperand& operand, const CopyDestination& destination,
                                const std::string& name) {
  if (!options_.recursive) {
    return base::ErrnoStatus(EISDIR, "copy without -r", operand.Name());
  }
  const procfsroot::PathRules rules = {.follow_last =
                                           options_.follow || absl::EndsWith(operand.path, "/")};
  NSCTL_ASSIGN_OR_RETURN(OwnedFd handle, operand.root->Resolve(operand.path, rules));
  NSCTL_ASSIGN_OR_RETURN(const struct statx status, operand.root->Stat(operand.path, rules));
  absl::StatusOr<TreeDirectory> source = TreeDirectory::Open(
      std::move(handle), {options_.caller, options_.timeout, options_.same_mount});
  if (ErrnoOf(source.status()) == EREMOTE) {
    Fail(source.status(), operand.Name());
    return absl::OkStatus();
  }
  NSCTL_RETURN_IF_ERROR(source.status());
  NSCTL_ASSIGN_OR_RETURN(Frame top, EnterTree(*std::move(source), status, destination, name));
  top.shown = operand.Name();
  // Not by recursion: whoever made the tree chose its depth.
  std::vector<Frame> frames;
  frames.push_back(std::move(top));
  while (!frames.empty()) NSCTL_RETURN_IF_ERROR(Step(&frames));
  return absl::OkStatus();
}

std::string FsCopier::ShownIn(const Frame& frame, const std::string& name) {
  return absl::StrCat(frame.shown, absl::EndsWith(frame.shown, "/") ? "" : "/",
                      base::EncodeText(name));
}

void FsCopier::Fail(const absl::Status& failure, const std::string& shown) {
  if (ErrnoOf(failure) != EREMOTE) return fail_(failure);
  AddGap(shown, "EREMOTE", "not mounted: autofs is not triggered");
}

absl::StatusOr<FsCopier::Frame> FsCopier::EnterTree(TreeDirectory source,
                                                    const struct statx& status,
                                                    const CopyDestination& destination,
                                                    const std::string& name) {
  if (name.empty()) return Frame{std::move(source), destination, status, "", false};
  NSCTL_ASSIGN_OR_RETURN(CopyDestination::Made made, destination.MakeDirectory(name));
  return Frame{std::move(source), std::move(made.directory), status, "", made.is_new};
}

absl::Status FsCopier::Step(std::vector<Frame>* frames) {
  Frame& frame = frames->back();
  if (frame.next == frame.names.size()) {
    absl::StatusOr<std::vector<std::string>> names = frame.source.ReadNames();
    if (!names.ok()) Fail(names.status(), frame.shown);
    if (!names.ok() || names->empty()) {
      if (frame.is_new || options_.preserve) {
        const absl::Status set = frame.destination.SetAttributes(AttributesOf(frame.status));
        if (!set.ok()) fail_(set);
      }
      frames->pop_back();
      return absl::OkStatus();
    }
    frame.names = *std::move(names);
    frame.next = 0;
  }
  // Taken out: to enter a directory moves the frame.
  const std::string name = std::move(frame.names[frame.next++]);
  const std::string shown = ShownIn(frame, name);
  absl::Status copied = CopyEntry(frames, name);
  if (absl::IsCancelled(copied)) return copied;
  // What is gone by now was not there to be copied.
  if (!copied.ok() && !base::IsGone(copied)) Fail(copied, shown);
  return absl::OkStatus();
}

absl::Status FsCopier::CopyEntry(std::vector<Frame>* frames, const std::string& name) {
  Frame& frame = frames->back();
  NSCTL_RETURN_IF_ERROR(CheckGoOn(0, name));
  const std::string shown = ShownIn(frame, name);
  absl::StatusOr<OpenedEntry> opened = frame.source.OpenEntry(name, kShortFile);
  if (options_.same_mount && ErrnoOf(opened.status()) == EXDEV) return absl::OkStatus();
  NSCTL_RETURN_IF_ERROR(opened.status());
  const struct statx& status = opened->entry.status;
  if (S_ISDIR(status.stx_mode)) {
    NSCTL_ASSIGN_OR_RETURN(TreeDirectory source, frame.source.Enter(std::move(opened->directory)));
    NSCTL_ASSIGN_OR_RETURN(Frame child,
                           EnterTree(std::move(source), status, frame.destination, name));
    child.shown = shown;
    frames->push_back(std::move(child));
    return absl::OkStatus();
  }
  if (!S_ISREG(status.stx_mode) && !S_ISLNK(status.stx_mode)) {
    SkipSpecial(shown, status);
    return absl::OkStatus();
  }
  NSCTL_RETURN_IF_ERROR(CheckNotMade(frame.destination, name, shown));
  NSCTL_RETURN_IF_ERROR(frame.destination.CheckReplaceable(name, status));
  if (S_ISLNK(status.stx_mode)) {
    NSCTL_RETURN_IF_ERROR(opened->entry.link_status);
    return CopyLink(opened->entry.link, status, shown, frame.destination, name);
  }
  BoundedFile* const file = opened->file.has_value() ? &*opened->file : nullptr;
  return CopyFile(file, opened->content, status, shown, frame.destination, name);
}

absl::Status FsCopier::CopyFile(BoundedFile* source, const std::string& content,
                                const struct statx& status, const std::string& shown,
                                const CopyDestination& destination, const std::string& name) {
  progress_->Begin(shown, status.stx_size);
  NSCTL_RETURN_IF_ERROR(CheckGoOn(content.size(), shown));
  NSCTL_ASSIGN_OR_RETURN(NewFile file, destination.MakeFile());
  if (source == nullptr) {
    NSCTL_RETURN_IF_ERROR(WriteAt(*file.fd(), content, 0));
    progress_->Advance(content.size());
  } else {
    NSCTL_RETURN_IF_ERROR(CopyContent(source, status.stx_size, file));
  }
  NSCTL_RETURN_IF_ERROR(destination.Finish(std::move(file), name, AttributesOf(status)));
  progress_->End();
  SetMade(shown, destination, name);
  return absl::OkStatus();
}

absl::Status FsCopier::CopyContent(BoundedFile* source, uint64_t size, const NewFile& file) {
  uint64_t offset = 0;
  while (size > 0) {
    absl::StatusOr<std::optional<DataExtent>> data = source->FindData(offset);
    // Without knowledge of holes there are none.
    if (ErrnoOf(data.status()) == EINVAL) break;
    NSCTL_RETURN_IF_ERROR(data.status());
    // A hole is left, and what the file has grown by.
    if (!data->has_value()) break;
    NSCTL_RETURN_IF_ERROR(CheckGoOn((*data)->begin, source->path()));
    progress_->Advance((*data)->begin - offset);
    offset = (*data)->begin;
    NSCTL_RETURN_IF_ERROR(CopyPieces(source, **data, file, &offset));
    // It was cut meanwhile.
    if (offset < (*data)->end) return absl::OkStatus();
  }
  const uint64_t end = std::max(offset, size);
  if (end > offset && source->FindData(offset).ok()) {
    NSCTL_RETURN_IF_ERROR(CheckGoOn(end, source->path()));
    if (ftruncate(file.fd()->get(), static_cast<off_t>(end)) != 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "ftruncate", file.fd()->path());
    }
    offset = end;
  }
  return CopyPieces(source, {offset, kToTheEnd}, file, &offset);
}

absl::Status FsCopier::CopyPieces(BoundedFile* source, const DataExtent& extent,
                                  const NewFile& file, uint64_t* offset) {
  bool by_range = true;
  while (*offset < extent.end) {
    NSCTL_RETURN_IF_ERROR(CheckGoOn(*offset, source->path()));
    // No further than one byte more than may be.
    const uint64_t room = options_.limit - *offset;
    const uint64_t left = std::min(extent.end - *offset, room == kNoLimit ? room : room + 1);
    if (by_range) {
      absl::StatusOr<uint64_t> copied =
          source->CopyRange(file.fd(), *offset, std::min(left, kRange));
      if (!copied.ok() && !IsNotForRanges(copied.status())) return copied.status();
      by_range = copied.ok() && *copied > 0;
      if (by_range) {
        *offset += *copied;
        progress_->Advance(*copied);
      } else {
        NSCTL_RETURN_IF_ERROR(source->Seek(*offset));
      }
      continue;
    }
    NSCTL_ASSIGN_OR_RETURN(const absl::string_view piece,
                           source->Read(static_cast<size_t>(std::min<uint64_t>(left, kPiece))));
    if (piece.empty()) break;
    NSCTL_RETURN_IF_ERROR(WriteAt(*file.fd(), piece, *offset));
    *offset += piece.size();
    progress_->Advance(piece.size());
  }
  return CheckGoOn(*offset, source->path());
}

absl::Status FsCopier::CopyLink(const std::string& text, const struct statx& status,
                                const std::string& shown, const CopyDestination& destination,
                                const std::string& name) {
  CopyAttributes attributes = AttributesOf(status);
  NSCTL_RETURN_IF_ERROR(destination.MakeLink(text, name, attributes));
  progress_->End();
  SetMade(shown, destination, name);
  return absl::OkStatus();
}

absl::Status FsCopier::CheckNotMade(const CopyDestination& destination, const std::string& name,
                                    absl::string_view shown) const {
  if (made_.empty()) return absl::OkStatus();
  NSCTL_ASSIGN_OR_RETURN(const struct stat directory, base::Stat(destination.fd()));
  if (!made_.contains({directory.st_dev, directory.st_ino, name})) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "will not overwrite just-created ",
      Shown(base::EncodeText(base::DescribePath(destination.fd(), name))), " with ", Shown(shown)));
}

void FsCopier::SetMade(const std::string& shown, const CopyDestination& destination,
                       const std::string& name) {
  if (options_.keep_made) {
    const absl::StatusOr<struct stat> directory = base::Stat(destination.fd());
    if (directory.ok()) made_.emplace(directory->st_dev, directory->st_ino, name);
  }
  options_.on_copied(shown, base::EncodeText(base::DescribePath(destination.fd(), name)));
}

CopyAttributes FsCopier::AttributesOf(const struct statx& status) const {
  CopyAttributes attributes;
  attributes.mode = status.stx_mode & (options_.set_id ? 07777 : 01777);
  if (!options_.preserve) attributes.mode &= ~options_.umask;
  // What others may delete from is not decided by the target.
  if (!options_.preserve) attributes.mode &= ~static_cast<mode_t>(S_ISVTX);
  if (options_.owner) attributes.owner.emplace(status.stx_uid, status.stx_gid);
  if (options_.preserve) {
    attributes.times.emplace(TimeOf(status.stx_atime), TimeOf(status.stx_mtime));
  }
  return attributes;
}

absl::Status FsCopier::CheckGoOn(uint64_t offset, absl::string_view path) const {
  if (options_.is_cancelled()) return absl::CancelledError("interrupted");
  if (offset <= options_.limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("copy ", Shown(base::EncodeText(path)),
                                                   ": more than the limit of ", options_.limit,
                                                   " bytes"));
}

void FsCopier::SkipSpecial(const std::string& shown, const struct statx& status) {
  AddGap(shown, FsTypeText(FsTypeOf(status.stx_mode)),
         "only files, directories and links are copied");
}

void FsCopier::AddGap(const std::string& shown, const char* error, const char* consequence) {
  // Beyond that they say nothing new.
  if (gaps_->size() >= kMaxGaps) return;
  nsdisc::Gap* gap = gaps_->Add();
  gap->set_subject(absl::StrCat("file:", shown));
  gap->set_operation("copy");
  gap->set_error(error);
  gap->set_consequence(consequence);
  gap->set_count(1);
}

}  // namespace nsctl::cmd
