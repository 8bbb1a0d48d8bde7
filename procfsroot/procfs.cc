#include "procfsroot/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "procfsroot/process_files.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// Large enough that one call lists about 10,000 processes, so that few can slip between two calls.
constexpr size_t kDirectoryBufferSize = 256 << 10;
// A thread's directory is small; a process with more threads takes several calls.
constexpr size_t kThreadBufferSize = 16 << 10;
// "net:[4026531840]" is the longest usual form; a longer text is no namespace link.
constexpr size_t kMaxLinkText = 64;

// Nothing below a procfs that is read here is a link but "self". In a directory that only looks
// like one, links and FIFOs are somebody's tricks.
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr int kFileFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

// Layout of the kernel's directory records (getdents64(2)); glibc has no declaration for them.
struct DirectoryRecord {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

std::optional<pid_t> ParseNumericName(const char* name) {
  const char* const end = name + strlen(name);
  pid_t value = 0;
  const auto [parsed, error] = std::from_chars(name, end, value);
  if (error != std::errc() || parsed != end || value <= 0) return std::nullopt;
  return value;
}

// Ascending numeric names in the open directory `fd`, whose offset it moves.
absl::StatusOr<std::vector<pid_t>> ListNumericNames(FdRef fd, size_t buffer_size) {
  const std::unique_ptr<char[]> buffer(new char[buffer_size]);
  std::vector<pid_t> numbers;
  while (true) {
    const long size = syscall(SYS_getdents64, fd.get(), buffer.get(), buffer_size);
    if (size < 0) {
      const int error = errno;
      return ErrnoStatus(error, "getdents64", fd.path());
    }
    if (size == 0) break;
    for (long at = 0; at < size;) {
      const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer.get() + at);
      if (const std::optional<pid_t> number = ParseNumericName(record->name)) {
        numbers.push_back(*number);
      }
      at += record->length;
    }
  }
  // procfs lists in ascending order, a recorded tree in any.
  if (!std::is_sorted(numbers.begin(), numbers.end())) std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// As OpenBelowProcfs.
absl::StatusOr<OwnedFd> OpenBelow(FdRef dir, const std::string& path, int flags) {
  const int fd = OpenBelowProcfs(dir.get(), path.c_str(), flags);
  const int error = errno;
  if (fd < 0) return ErrnoStatus(error, "open", base::DescribePath(dir, path));
  return OwnedFd(fd, base::DescribePath(dir, path));
}

// The file `path` below `dir`, no component of which may be a link.
absl::StatusOr<std::string> ReadBelow(FdRef dir, const std::string& path, size_t limit) {
  const size_t slash = path.find('/');
  if (slash != std::string::npos) {
    NSCTL_ASSIGN_OR_RETURN(const OwnedFd next,
                           OpenBelow(dir, path.substr(0, slash), kDirectoryFlags));
    return ReadBelow(next, path.substr(slash + 1), limit);
  }
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd file, OpenBelow(dir, path, kFileFlags));
  std::string text;
  NSCTL_RETURN_IF_ERROR(base::ReadToEnd(file, limit, &text));
  return text;
}

NamespaceLinks::Entry ReadLink(int ns_directory, const char* entry) {
  char text[kMaxLinkText];
  const ssize_t size = readlinkat(ns_directory, entry, text, sizeof(text));
  if (size < 0) return {.inode = 0, .error = errno};
  const std::optional<base::NamespaceLink> link =
      base::ParseNamespaceLinkText(absl::string_view(text, static_cast<size_t>(size)));
  if (!link.has_value()) return {.inode = 0, .error = EBADMSG};
  return {.inode = link->inode, .error = 0};
}

NamespaceLinks ReadLinks(int process_directory, const char* ns_path) {
  NamespaceLinks links;
  const int fd = OpenBelowProcfs(process_directory, ns_path, kDirectoryFlags);
  const int open_error = fd < 0 ? errno : 0;
  const OwnedFd directory(fd);
  for (const base::NamespaceTypeInfo& info : base::kNamespaceTypes) {
    const auto index = static_cast<size_t>(info.type);
    if (open_error != 0) {
      links.in[index].error = open_error;
      continue;
    }
    links.in[index] = ReadLink(fd, info.name);
    if (info.for_children_entry != nullptr) {
      links.for_children[index] = ReadLink(fd, info.for_children_entry);
    }
  }
  return links;
}

// The procfs belongs to the caller's PID namespace when "self" is the caller's own number and the
// caller has no further number below it: NSpid lists from the procfs's PID namespace downward.
bool ShowsOwnPids(const Procfs& procfs) {
  const absl::StatusOr<ProcessDir> self = procfs.OpenSelf();
  if (!self.ok()) return false;
  std::string text;
  if (self->TryReadRecord("status", kMaxStatus, &text) != 0) return false;
  const absl::StatusOr<StatusFields> status = ParseStatus(text);
  if (!status.ok()) return false;
  std::vector<base::Pid> pids;
  const bool well_formed =
      ForEachNamespacedPid(status->namespaced_pids, [&](base::Pid pid) { pids.push_back(pid); });
  return well_formed && pids.size() == 1 && pids[0].value == getpid();
}

}  // namespace

int OpenBelowProcfs(int directory, const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_NO_XDEV;
  const long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
  return openat(directory, path, flags);
}

absl::StatusOr<std::string> ProcessDir::Read(const std::string& name, size_t limit) const {
  return ReadBelow(fd_, name, limit);
}

int ProcessDir::TryReadRecord(const char* name, size_t limit, std::string* out) const {
  out->clear();
  const int fd = OpenBelowProcfs(fd_.get(), name, kFileFlags);
  if (fd < 0) return errno;
  const OwnedFd file(fd);
  // These files are one record each (seq_file's single_open), which the kernel hands out whole: a
  // short read is the end, and asking again would cost one more call for each file.
  char buffer[4096];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    const int error = errno;
    if (got < 0 && error == EINTR) continue;
    if (got < 0) return error;
    out->append(buffer, static_cast<size_t>(got));
    if (out->size() > limit) {
      out->resize(limit);
      return EFBIG;
    }
    if (static_cast<size_t>(got) < sizeof(buffer)) return 0;
  }
}

NamespaceLinks ProcessDir::ReadNamespaceLinks() const { return ReadLinks(fd_.get(), "ns"); }

NamespaceLinks ProcessDir::ReadThreadNamespaceLinks(base::Tid tid) const {
  char path[32];
  snprintf(path, sizeof(path), "task/%d/ns", tid.value);
  return ReadLinks(fd_.get(), path);
}

absl::StatusOr<OwnedFd> ProcessDir::OpenNamespace(const char* entry) const {
  return base::OpenAt(fd_, absl::StrCat("ns/", entry), O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

absl::StatusOr<std::vector<base::Tid>> ProcessDir::ListThreads() const {
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd directory, OpenBelow(fd_, "task", kDirectoryFlags));
  NSCTL_ASSIGN_OR_RETURN(const std::vector<pid_t> numbers,
                         ListNumericNames(directory, kThreadBufferSize));
  std::vector<base::Tid> threads;
  threads.reserve(numbers.size());
  for (const pid_t number : numbers) threads.push_back({number});
  return threads;
}

absl::StatusOr<ProcessDir> ProcessDir::OpenThread(base::Tid tid) const {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd,
                         OpenBelow(fd_, absl::StrCat("task/", tid.value), kDirectoryFlags));
  return ProcessDir(std::move(fd));
}

Procfs::Procfs(OwnedFd root, bool is_kernel) : root_(std::move(root)), is_kernel_(is_kernel) {
  has_own_pids_ = is_kernel_ && ShowsOwnPids(*this);
}

absl::StatusOr<Procfs> Procfs::Live() {
  NSCTL_ASSIGN_OR_RETURN(Procfs procfs, At("/proc"));
  if (!procfs.is_kernel()) {
    return absl::FailedPreconditionError("/proc is no procfs: something else is mounted there");
  }
  procfs.is_live_ = true;
  return procfs;
}

absl::StatusOr<Procfs> Procfs::At(const std::string& directory) {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd root,
                         base::OpenAt(FdRef(AT_FDCWD), directory, kDirectoryFlags & ~O_NOFOLLOW));
  struct statfs filesystem;
  if (fstatfs(root.get(), &filesystem) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "fstatfs", directory);
  }
  return Procfs(std::move(root), filesystem.f_type == PROC_SUPER_MAGIC);
}

absl::StatusOr<std::vector<base::Pid>> Procfs::ListProcesses() const {
  // A descriptor of its own: the offset of the shared one must not move under concurrent callers.
  NSCTL_ASSIGN_OR_RETURN(const OwnedFd directory, base::OpenAt(root_, ".", kDirectoryFlags));
  NSCTL_ASSIGN_OR_RETURN(const std::vector<pid_t> numbers,
                         ListNumericNames(directory, kDirectoryBufferSize));
  std::vector<base::Pid> pids;
  pids.reserve(numbers.size());
  for (const pid_t number : numbers) pids.push_back({number});
  return pids;
}

void Procfs::LeaveOut(std::vector<base::Pid> pids) {
  left_out_ = std::move(pids);
  std::sort(left_out_.begin(), left_out_.end());
}

absl::StatusOr<ProcessDir> Procfs::OpenProcess(base::Pid pid) const {
  if (std::binary_search(left_out_.begin(), left_out_.end(), pid)) {
    return ErrnoStatus(ETIMEDOUT, "open", base::DescribePath(root_, absl::StrCat(pid.value)));
  }
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenBelow(root_, absl::StrCat(pid.value), kDirectoryFlags));
  return ProcessDir(std::move(fd));
}

absl::StatusOr<ProcessDir> Procfs::OpenSelf() const {
  NSCTL_ASSIGN_OR_RETURN(OwnedFd fd, OpenBelow(root_, "self", kDirectoryFlags & ~O_NOFOLLOW));
  return ProcessDir(std::move(fd));
}

absl::StatusOr<std::string> Procfs::ReadFile(const std::string& name, size_t limit) const {
  return ReadBelow(root_, name, limit);
}

}  // namespace nsctl::procfsroot
