// Makes what a benchmark looks at, says "ready", and keeps it until its standard input ends.
//
//   world sleepers N      N processes
//   world namespaces N    N processes, each in net, mnt and uts namespaces of its own, with 60
//   mounts world netns N         N network namespaces that only a bind mount keeps, below a tmpfs
//   on /mnt world fds N           N descriptors, a thousand for each process world mounts N N
//   mounts of tmpfs below /mnt
//
// Mounts on /mnt: to be run in a mount namespace of its own, which is where they end.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "testing/many_processes.h"

namespace {

using nsctl::base::ErrnoStatus;
using nsctl::testing::ManyProcesses;
using nsctl::testing::ManyProcessesOptions;

constexpr char kTop[] = "/mnt";
constexpr size_t kFilesOfProcess = 1000;
// As a host with a few containers has.
constexpr size_t kMountsOfNamespace = 60;

absl::Status MountTop() {
  if (mount("world", kTop, "tmpfs", 0, nullptr) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "mount", kTop);
}

absl::Status MakeNetns(size_t count) {
  if (absl::Status status = MountTop(); !status.ok()) return status;
  for (size_t i = 0; i < count; ++i) {
    const std::string path = absl::StrCat(kTop, "/", i);
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return ErrnoStatus(errno, "open", path);
    close(file);
    if (unshare(CLONE_NEWNET) != 0) return ErrnoStatus(errno, "unshare");
    if (mount("/proc/self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      return ErrnoStatus(errno, "mount", path);
    }
  }
  return absl::OkStatus();
}

absl::Status MakeMounts(size_t count) {
  if (absl::Status status = MountTop(); !status.ok()) return status;
  for (size_t i = 0; i < count; ++i) {
    const std::string path = absl::StrCat(kTop, "/", i);
    if (mkdir(path.c_str(), 0700) != 0) return ErrnoStatus(errno, "mkdir", path);
    if (mount("world", path.c_str(), "tmpfs", 0, nullptr) != 0) {
      return ErrnoStatus(errno, "mount", path);
    }
  }
  return absl::OkStatus();
}

size_t CountMounts() {
  std::ifstream mountinfo("/proc/self/mountinfo");
  return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(mountinfo), {}, '\n'));
}

absl::Status MakeProcesses(const ManyProcessesOptions& options,
                           std::unique_ptr<ManyProcesses>* processes) {
  auto started = ManyProcesses::Start(options);
  if (!started.ok()) return started.status();
  *processes = *std::move(started);
  return absl::OkStatus();
}

absl::Status Make(absl::string_view kind, size_t count, std::unique_ptr<ManyProcesses>* processes) {
  if (kind == "sleepers") return MakeProcesses({.count = count}, processes);
  if (kind == "namespaces") {
    const size_t mounts = CountMounts() + 1;
    if (mounts < kMountsOfNamespace) {
      if (absl::Status status = MakeMounts(kMountsOfNamespace - mounts); !status.ok())
        return status;
    }
    return MakeProcesses({.count = count, .namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS},
                         processes);
  }
  if (kind == "netns") return MakeNetns(count);
  if (kind == "fds") {
    const size_t holders = std::max<size_t>(1, count / kFilesOfProcess);
    return MakeProcesses({.count = holders, .files = count / holders}, processes);
  }
  if (kind == "mounts") return MakeMounts(count);
  return absl::InvalidArgumentError(absl::StrCat("no such world: ", kind));
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[2], &count)) {
    std::fprintf(stderr, "usage: world sleepers|namespaces|netns|fds|mounts N\n");
    return 2;
  }
  std::unique_ptr<ManyProcesses> processes;
  if (const absl::Status status = Make(argv[1], count, &processes); !status.ok()) {
    std::fprintf(stderr, "world: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return 0;
}
