#include "engines/listening_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "base/status_macros.h"
#include "procfsroot/procfs.h"

namespace nsctl::engines {
namespace {

// The kernel lists them in the order of their numbers, and what a service listens at it opened
// early.
constexpr size_t kMaxDescriptors = 20'000;
constexpr size_t kMaxTable = 16 << 20;
// SO_ACCEPTCON in the kernel's flags: listen(2) was called.
constexpr uint64_t kAcceptsConnections = 0x10000;

struct Descriptor {
  int number = -1;
  uint64_t inode = 0;
};

struct Descriptors {
  std::vector<Descriptor> sockets;
  bool cut = false;
};

absl::StatusOr<Descriptors> ReadSocketDescriptors(const procfsroot::ProcessDir& process) {
  const int fd = procfsroot::OpenBelowProcfs(process.fd().get(), "fd", O_RDONLY | O_DIRECTORY);
  const int error = errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(fd < 0 ? nullptr : fdopendir(fd), closedir);
  if (directory == nullptr) {
    if (fd >= 0) close(fd);
    return base::ErrnoStatus(error, "open", base::DescribePath(process.fd(), "fd"));
  }
  Descriptors result;
  size_t count = 0;
  while (const dirent* const entry = readdir(directory.get())) {
    if (++count > kMaxDescriptors) {
      result.cut = true;
      break;
    }
    char text[64];
    const ssize_t size = readlinkat(fd, entry->d_name, text, sizeof(text));
    if (size <= 0) continue;
    absl::string_view link(text, static_cast<size_t>(size));
    Descriptor descriptor;
    if (!absl::ConsumePrefix(&link, "socket:[") || !absl::ConsumeSuffix(&link, "]") ||
        !absl::SimpleAtoi(link, &descriptor.inode) ||
        !absl::SimpleAtoi(entry->d_name, &descriptor.number)) {
      continue;
    }
    if (result.sockets.size() == kMaxSockets) {
      result.cut = true;
      break;
    }
    result.sockets.push_back(descriptor);
  }
  return result;
}

bool HasOption(const base::OwnedFd& socket, int option, int wanted) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

// What a copy of the descriptor says; nullopt where it is no socket that is looked for.
std::optional<ListeningSocket> Ask(const base::OwnedFd& socket, SocketSpace space) {
  if (!HasOption(socket, SO_DOMAIN, AF_UNIX) || !HasOption(socket, SO_ACCEPTCONN, 1) ||
      !HasOption(socket, SO_TYPE, SOCK_STREAM)) {
    return std::nullopt;
  }
  // The kernel may add a NUL behind a path that fills the address.
  union {
    sockaddr_un address;
    char bytes[sizeof(sockaddr_un) + 1];
  } name = {};
  socklen_t size = sizeof(name);
  struct stat status = {};
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
      fstat(socket.get(), &status) != 0 || size <= offsetof(sockaddr_un, sun_path)) {
    return std::nullopt;
  }
  const char* const path = name.bytes + offsetof(sockaddr_un, sun_path);
  const size_t longest = std::min<size_t>(size, sizeof(name)) - offsetof(sockaddr_un, sun_path);
  const bool abstract = *path == '\0';
  if (abstract != (space == SocketSpace::kAbstract)) return std::nullopt;
  std::string text =
      abstract ? std::string(path + 1, longest - 1) : std::string(path, strnlen(path, longest));
  if (text.empty()) return std::nullopt;
  return ListeningSocket{.inode = status.st_ino, .path = std::move(text)};
}

// False where descriptors cannot be copied.
bool AskCopies(base::Pid pid, const Descriptors& descriptors, SocketSpace space,
               std::vector<ListeningSocket>* sockets) {
  const absl::StatusOr<base::OwnedFd> pidfd = base::OpenPidfd(pid);
  if (!pidfd.ok()) return false;
  for (const Descriptor& descriptor : descriptors.sockets) {
    const absl::StatusOr<base::OwnedFd> copy = base::CopyFdFrom(*pidfd, descriptor.number);
    if (!copy.ok()) {
      // Closed meanwhile.
      if (base::ErrnoOf(copy.status()) == EBADF) continue;
      return false;
    }
    std::optional<ListeningSocket> socket = Ask(*copy, space);
    if (socket.has_value()) sockets->push_back(*std::move(socket));
  }
  return true;
}

}  // namespace

std::vector<ListeningSocket> ParseListeningSockets(absl::string_view text, SocketSpace space) {
  std::vector<ListeningSocket> sockets;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    // "0000000000000000: 00000002 00000000 00010000 0001 01 21411 /run/docker.sock": the numbers
    // are padded, what follows the last is the path, blanks and all.
    absl::string_view fields[7];
    size_t count = 0;
    for (; count < 7; ++count) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const size_t size = std::min(line.find(' '), line.size());
      fields[count] = line.substr(0, size);
      line.remove_prefix(size);
      if (fields[count].empty()) break;
    }
    uint64_t flags = 0;
    uint64_t type = 0;
    ListeningSocket socket;
    if (count < 7 || !absl::SimpleHexAtoi(fields[3], &flags) ||
        !absl::SimpleHexAtoi(fields[4], &type) || !absl::SimpleAtoi(fields[6], &socket.inode)) {
      continue;
    }
    if ((flags & kAcceptsConnections) == 0 || type != SOCK_STREAM) continue;
    if (!absl::ConsumePrefix(&line, " ") || line.empty()) continue;
    if (absl::ConsumePrefix(&line, "@") != (space == SocketSpace::kAbstract)) continue;
    socket.path = std::string(line);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

absl::StatusOr<ListeningSockets> ReadListeningSockets(const procfsroot::Procfs& procfs,
                                                      base::Pid pid, SocketSpace space) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process, procfs.OpenProcess(pid));
  NSCTL_ASSIGN_OR_RETURN(const Descriptors descriptors, ReadSocketDescriptors(process));
  ListeningSockets result;
  result.cut = descriptors.cut;
  if (descriptors.sockets.empty()) return result;
  if (!procfs.has_own_pids() || !AskCopies(pid, descriptors, space, &result.sockets)) {
    result.sockets.clear();
    NSCTL_ASSIGN_OR_RETURN(const std::string text, process.Read("net/unix", kMaxTable));
    std::set<uint64_t> held;
    for (const Descriptor& descriptor : descriptors.sockets) held.insert(descriptor.inode);
    for (ListeningSocket& socket : ParseListeningSockets(text, space)) {
      if (held.contains(socket.inode)) result.sockets.push_back(std::move(socket));
    }
  }
  auto& sockets = result.sockets;
  std::sort(sockets.begin(), sockets.end(), [](const auto& a, const auto& b) {
    return std::tie(a.path, a.inode) < std::tie(b.path, b.inode);
  });
  sockets.erase(std::unique(sockets.begin(), sockets.end()), sockets.end());
  return result;
}

absl::StatusOr<std::set<uint64_t>> ReadSocketInodes(const procfsroot::Procfs& procfs,
                                                    base::Pid pid) {
  NSCTL_ASSIGN_OR_RETURN(const procfsroot::ProcessDir process, procfs.OpenProcess(pid));
  NSCTL_ASSIGN_OR_RETURN(const Descriptors descriptors, ReadSocketDescriptors(process));
  std::set<uint64_t> inodes;
  for (const Descriptor& descriptor : descriptors.sockets) inodes.insert(descriptor.inode);
  return inodes;
}

}  // namespace nsctl::engines
