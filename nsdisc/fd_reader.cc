#include "nsdisc/fd_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"

namespace nsctl::nsdisc {
namespace {

using procfsroot::ProcessDir;

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
constexpr size_t kBufferSize = 32 << 10;
// Links that matter are short; of paths the end is wanted, and only of short ones.
constexpr size_t kMaxLinkText = 256;
constexpr size_t kMaxFdinfo = 16 << 10;
// A line for each of up to 32,768 files that an io_uring instance may have, and as much again.
constexpr size_t kMaxRingInfo = 8 << 20;
// An instance that is at work does not tell at once.
constexpr int kRingAttempts = 3;
// The time of all reads up to so many is measured, and then that of each so many-th.
constexpr uint64_t kAllMeasured = 64;
constexpr int kSampleEvery = 16;

// Layout of the kernel's directory records (getdents64(2)); glibc has no declaration for them.
struct DirectoryRecord {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

int64_t ThreadCpuNanoseconds() {
  struct timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::optional<int> ParseFd(const char* name) {
  const char* const end = name + strlen(name);
  int fd = 0;
  const auto [parsed, error] = std::from_chars(name, end, fd);
  if (error != std::errc() || parsed != end || fd < 0) return std::nullopt;
  return fd;
}

// Calls `look(name, fd)` for each descriptor in the open directory. 0 or an errno.
template <typename Function>
int ForEachFd(int directory, char* buffer, const Function& look) {
  while (true) {
    const long size = syscall(SYS_getdents64, directory, buffer, kBufferSize);
    if (size < 0) return errno;
    if (size == 0) return 0;
    for (long at = 0; at < size;) {
      const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer + at);
      if (const std::optional<int> fd = ParseFd(record->name)) look(record->name, *fd);
      at += record->length;
    }
  }
}

// "socket:[8172]".
std::optional<uint64_t> ParseSocketLink(absl::string_view text) {
  uint64_t inode = 0;
  const bool is_socket = absl::ConsumePrefix(&text, "socket:[") && absl::ConsumeSuffix(&text, "]");
  if (!is_socket || !absl::SimpleAtoi(text, &inode)) return std::nullopt;
  return inode;
}

// What an io_uring instance's fdinfo says: a file is registered with it whose name is not told.
bool HasNamelessFile(absl::string_view fdinfo) {
  const size_t files = fdinfo.find("\nUserFiles:");
  if (files == absl::string_view::npos) return false;
  for (absl::string_view line : absl::StrSplit(fdinfo.substr(files + 1), '\n')) {
    if (absl::StartsWith(line, "UserFiles:")) continue;
    const size_t number = line.find_first_not_of(' ');
    // "    0: ", up to the next field.
    if (number == absl::string_view::npos || !absl::ascii_isdigit(line[number])) return false;
    if (absl::EndsWith(line, ": /") || absl::EndsWith(line, ": ")) return true;
  }
  return false;
}

// The device's name is whatever the holder's mount namespace calls it.
bool MayBeTun(absl::string_view text) {
  absl::ConsumeSuffix(&text, " (deleted)");
  return absl::EndsWith(text, "/tun");
}

}  // namespace

void FdFindings::Merge(FdFindings other) {
  const auto append = [](auto& all, auto& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  append(namespace_files, other.namespace_files);
  append(sockets, other.sockets);
  append(tuns, other.tuns);
  append(pidfds, other.pidfds);
  append(registered_files, other.registered_files);
  append(paths, other.paths);
  append(roots, other.roots);
  append(unread, other.unread);
  examined += other.examined;
  vanished += other.vanished;
  ended_pidfds += other.ended_pidfds;
  cpu_nanoseconds += other.cpu_nanoseconds;
  gaps.Merge(std::move(other.gaps));
}

uint32_t HashOfFdPath(absl::string_view path) {
  return static_cast<uint32_t>(absl::HashOf(path.substr(0, kMaxLinkText)));
}

FdReader::FdReader(bool measures_time)
    : measures_time_(measures_time), buffer_(new char[kBufferSize]) {}

void FdReader::Read(const ProcessDir& dir, base::Pid pid, base::Tid tid) {
  // Looking at the clock is a system call too.
  const bool is_sample = measures_time_ && (reads_ < kAllMeasured || reads_ % kSampleEvery == 0);
  const int weight = reads_ < kAllMeasured ? 1 : kSampleEvery;
  ++reads_;
  const int64_t start = is_sample ? ThreadCpuNanoseconds() : 0;
  const base::OwnedFd directory(procfsroot::OpenBelowProcfs(dir.fd().get(), "fd", kDirectoryFlags));
  int error = directory.ok() ? 0 : errno;
  if (error == 0) {
    error = ForEachFd(directory.get(), buffer_.get(), [&](const char* name, int fd) {
      Look(directory.get(), name, dir, {.pid = pid.value, .tid = tid.value, .fd = fd});
    });
  }
  // Recorded trees need not hold descriptors, and a process that is gone is noticed by its stat.
  if (error != 0 && !base::IsGone(error)) AddGap(pid.value, tid.value, "getdents64 fd", error);
  if (is_sample) findings_.cpu_nanoseconds += (ThreadCpuNanoseconds() - start) * weight;
}

bool FdReader::HasOwnTable(const ProcessDir& process, base::Pid pid, base::Tid tid,
                           absl::Span<const base::Tid> others, bool own_pids) {
  std::vector<base::Tid> known(others.begin(), others.end());
  known.push_back({pid.value});
  bool by_lists = !own_pids;
  for (const base::Tid other : known) {
    if (by_lists) break;
    const long order = syscall(SYS_kcmp, other.value, tid.value, KCMP_FILES, 0, 0);
    if (order == 0) return false;
    // One of the two is gone, or what it has may not be looked at.
    if (order < 0 && (base::IsGone(errno) || base::IsDenied(errno))) return false;
    by_lists = order < 0;
  }
  if (!by_lists) return true;
  const std::vector<int> own = List(process, tid);
  return !own.empty() &&
         absl::c_none_of(known, [&](base::Tid other) { return List(process, other) == own; });
}

FdFindings FdReader::TakeFindings() { return std::exchange(findings_, {}); }

std::vector<int> FdReader::List(const ProcessDir& process, base::Tid tid) {
  std::vector<int> fds;
  char path[32];
  snprintf(path, sizeof(path), "task/%d/fd", tid.value);
  const base::OwnedFd directory(
      procfsroot::OpenBelowProcfs(process.fd().get(), path, kDirectoryFlags));
  if (!directory.ok()) return fds;
  ForEachFd(directory.get(), buffer_.get(), [&](const char*, int fd) { fds.push_back(fd); });
  std::sort(fds.begin(), fds.end());
  return fds;
}

void FdReader::AddGap(pid_t pid, pid_t tid, const char* operation, int error) {
  const auto number = static_cast<uint64_t>(tid != 0 ? tid : pid);
  findings_.unread.push_back(pid);
  findings_.gaps.Add(
      {.kind = tid != 0 ? GapSubject::kThread : GapSubject::kProcess, .number = number}, operation,
      error, "what its descriptors hold is unknown");
}

void FdReader::Look(int fd_directory, const char* name, const ProcessDir& dir,
                    const FdPlace& place) {
  char buffer[kMaxLinkText];
  const ssize_t size = readlinkat(fd_directory, name, buffer, sizeof(buffer));
  ++findings_.examined;
  if (size < 0) {
    if (base::IsGone(errno)) {
      ++findings_.vanished;
    } else {
      AddGap(place.pid, place.tid, "readlinkat fd", errno);
    }
    return;
  }
  // Most are paths, pipes and event files: the first bytes tell.
  const absl::string_view text(buffer, static_cast<size_t>(size));
  switch (text.empty() ? '\0' : text[0]) {
    case '/':
      if (text.size() == 1) {
        findings_.roots.push_back(place);
        return;
      }
      if (MayBeTun(text)) findings_.tuns.push_back(place);
      findings_.paths.push_back({HashOfFdPath(text), place});
      return;
    case 's':
      if (const std::optional<uint64_t> inode = ParseSocketLink(text)) {
        findings_.sockets.push_back({*inode, place});
      }
      return;
    case 'a':
      if (text == "anon_inode:[pidfd]") LookAtPidfd(dir, place);
      if (text == "anon_inode:[io_uring]") LookAtIoUring(dir, place);
      return;
    default:
      break;
  }
  if (absl::StartsWith(text, "pidfd:[")) {
    LookAtPidfd(dir, place);
  } else if (const auto target = base::ParseNamespaceLinkText(text); target.has_value()) {
    findings_.namespace_files.push_back({place, *target});
  }
}

// Into text_. 0 or an errno.
int FdReader::ReadFdinfo(const ProcessDir& dir, const FdPlace& place, size_t limit) {
  char path[32];
  snprintf(path, sizeof(path), "fdinfo/%d", place.fd);
  return dir.TryReadRecord(path, limit, &text_);
}

// Source: proc_pid_fdinfo(5): "Pid:" is 0 for a process of another PID namespace, -1 for one that
// has ended.
void FdReader::LookAtPidfd(const ProcessDir& dir, const FdPlace& place) {
  if (ReadFdinfo(dir, place, kMaxFdinfo) != 0) return;
  for (absl::string_view line : absl::StrSplit(text_, '\n')) {
    pid_t target = 0;
    if (!absl::ConsumePrefix(&line, "Pid:") || !absl::SimpleAtoi(line, &target)) continue;
    if (target > 0) findings_.pidfds.push_back({place, target});
    if (target < 0) ++findings_.ended_pidfds;
    return;
  }
}

void FdReader::LookAtIoUring(const ProcessDir& dir, const FdPlace& place) {
  int error = 0;
  for (int attempt = 0; attempt < kRingAttempts; ++attempt) {
    error = ReadFdinfo(dir, place, kMaxRingInfo);
    if (base::IsGone(error)) return;
    if (error != 0 || AddRegistered(text_, place)) break;
    error = EBUSY;
  }
  // Before Linux 6.13 a file is told by the name in its folder, which is "/" for all that are in
  // none, files of namespaces among them.
  if (error == 0 && HasNamelessFile(text_)) error = ENODATA;
  if (error == 0) return;
  // As far as it was read.
  if (error == EFBIG) AddRegistered(text_, place);
  const auto number = static_cast<uint64_t>(place.tid != 0 ? place.tid : place.pid);
  findings_.gaps.Add(
      {.kind = place.tid != 0 ? GapSubject::kThread : GapSubject::kProcess, .number = number},
      "read fdinfo of io_uring", error,
      "what the descriptors hold that are registered with it is unknown");
}

// False where the kernel leaves them out, because the instance is locked. Sources:
// io_uring_show_fdinfo of the kernel's io_uring/fdinfo.c ("UserFiles:", then "    0:
// net:[4026532000]"); io_uring_register(2).
bool FdReader::AddRegistered(absl::string_view fdinfo, const FdPlace& place) {
  bool is_told = false;
  const size_t begin = findings_.registered_files.size();
  for (absl::string_view line : absl::StrSplit(fdinfo, '\n')) {
    is_told |= absl::StartsWith(line, "UserFiles:");
    const size_t colon = line.find(": ");
    if (!is_told || colon == absl::string_view::npos) continue;
    const auto target = base::ParseNamespaceLinkText(line.substr(colon + 2));
    if (!target.has_value()) continue;
    const FdFindings::RegisteredFile file{place, *target};
    const auto first = findings_.registered_files.begin() + static_cast<ptrdiff_t>(begin);
    if (std::find(first, findings_.registered_files.end(), file) ==
        findings_.registered_files.end()) {
      findings_.registered_files.push_back(file);
    }
  }
  return is_told;
}

}  // namespace nsctl::nsdisc
