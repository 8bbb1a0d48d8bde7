#include "cmd/copy_destination.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

using base::DescribePath;
using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// Nobody can know it before, and who makes it first only makes the copy fail.
std::string TemporaryName() {
  uint64_t random = 0;
  if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
    random = static_cast<uint64_t>(getpid());
  }
  return absl::StrCat(".nsctl-", absl::Hex(random, absl::kZeroPad16));
}

absl::Status SetTimes(FdRef directory, const std::string& name, int flags,
                      const CopyAttributes& attributes) {
  if (!attributes.times.has_value()) return absl::OkStatus();
  const struct timespec times[2] = {attributes.times->first, attributes.times->second};
  if (utimensat(directory.get(), name.c_str(), times, flags) == 0) return absl::OkStatus();
  const int error = errno;
  return ErrnoStatus(error, "utimensat", DescribePath(directory, name));
}

absl::Status SetAll(FdRef file, const CopyAttributes& attributes) {
  // The owner first: to change him clears the set-user-ID bit.
  if (attributes.owner.has_value() &&
      fchown(file.get(), attributes.owner->first, attributes.owner->second) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "fchown", file.path());
  }
  if (fchmod(file.get(), attributes.mode) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "fchmod", file.path());
  }
  if (!attributes.times.has_value()) return absl::OkStatus();
  const struct timespec times[2] = {attributes.times->first, attributes.times->second};
  if (futimens(file.get(), times) == 0) return absl::OkStatus();
  const int error = errno;
  return ErrnoStatus(error, "futimens", file.path());
}

}  // namespace

NewFile::~NewFile() {
  if (directory_ != nullptr && !temporary_name_.empty()) {
    unlinkat(directory_->get(), temporary_name_.c_str(), 0);
  }
}

absl::StatusOr<CopyDestination> CopyDestination::Open(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  struct open_how how = {};
  how.flags = kFlags;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how));
  const int error = errno;
  if (fd >= 0) return CopyDestination(OwnedFd(static_cast<int>(fd), path));
  // Missing, or forbidden by a filter, which may say ENOSYS or EPERM; or a loop.
  const bool may_differ = error == ENOSYS || error == EPERM || error == ELOOP;
  if (!may_differ) return ErrnoStatus(error, "open", path);
  NSCTL_ASSIGN_OR_RETURN(OwnedFd directory, base::OpenAt(FdRef(AT_FDCWD), path, kFlags));
  if (error != ELOOP) return CopyDestination(std::move(directory));
  return absl::FailedPreconditionError(
      absl::StrCat("copy to ", base::TerminalText(base::EncodeText(path)),
                   ": leads through a magic link of procfs, maybe into a target, which nothing is "
                   "copied into; name the directory itself"));
}

absl::Status CopyDestination::CheckReplaceable(const std::string& name,
                                               const struct statx& source) const {
  struct stat status;
  if (fstatat(directory_->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    const int error = errno;
    if (error == ENOENT) return absl::OkStatus();
    return ErrnoStatus(error, "stat", DescribePath(*directory_, name));
  }
  const std::string path = base::TerminalText(base::EncodeText(DescribePath(*directory_, name)));
  if (S_ISDIR(status.st_mode))
    return ErrnoStatus(EISDIR, "replace", DescribePath(*directory_, name));
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("replace ", path, ": exists and is neither a regular file nor a link"));
  }
  const bool is_same = status.st_ino == source.stx_ino &&
                       status.st_dev == makedev(source.stx_dev_major, source.stx_dev_minor);
  if (is_same) return absl::InvalidArgumentError(absl::StrCat(path, ": is the file to be copied"));
  return absl::OkStatus();
}

absl::StatusOr<NewFile> CopyDestination::MakeFile() const {
  const std::string name = TemporaryName();
  NSCTL_ASSIGN_OR_RETURN(
      OwnedFd fd, base::OpenAt(*directory_, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return NewFile(directory_, name, std::make_shared<const OwnedFd>(std::move(fd)));
}

absl::Status CopyDestination::Finish(NewFile file, const std::string& name,
                                     const CopyAttributes& attributes) const {
  NSCTL_RETURN_IF_ERROR(SetAll(*file.fd(), attributes));
  if (renameat(directory_->get(), file.temporary_name_.c_str(), directory_->get(), name.c_str()) !=
      0) {
    const int error = errno;
    return ErrnoStatus(error, "rename to", DescribePath(*directory_, name));
  }
  file.temporary_name_.clear();
  return absl::OkStatus();
}

absl::Status CopyDestination::MakeLink(const std::string& text, const std::string& name,
                                       const CopyAttributes& attributes) const {
  const std::string temporary = TemporaryName();
  if (symlinkat(text.c_str(), directory_->get(), temporary.c_str()) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "symlink", DescribePath(*directory_, name));
  }
  absl::Status status = SetTimes(*directory_, temporary, AT_SYMLINK_NOFOLLOW, attributes);
  if (status.ok() &&
      renameat(directory_->get(), temporary.c_str(), directory_->get(), name.c_str()) != 0) {
    const int error = errno;
    status = ErrnoStatus(error, "rename to", DescribePath(*directory_, name));
  }
  if (!status.ok()) unlinkat(directory_->get(), temporary.c_str(), 0);
  return status;
}

absl::StatusOr<CopyDestination::Made> CopyDestination::MakeDirectory(
    const std::string& name) const {
  const bool is_new = mkdirat(directory_->get(), name.c_str(), 0700) == 0;
  const int error = errno;
  if (!is_new && error != EEXIST) {
    return ErrnoStatus(error, "mkdir", DescribePath(*directory_, name));
  }
  absl::StatusOr<OwnedFd> opened =
      base::OpenAt(*directory_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened.ok()) {
    return ErrnoStatus(base::ErrnoOf(opened.status()), "copy a directory to",
                       DescribePath(*directory_, name));
  }
  return Made{CopyDestination(*std::move(opened)), is_new};
}

absl::Status CopyDestination::SetAttributes(const CopyAttributes& attributes) const {
  return SetAll(*directory_, attributes);
}

}  // namespace nsctl::cmd
