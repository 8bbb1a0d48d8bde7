#include "testing/silent_fuse.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "testing/child_fds.h"

namespace nsctl::testing {
namespace {

using base::ErrnoStatus;
using base::OwnedFd;

constexpr uint64_t kDirectory = 2;
constexpr uint64_t kFile = 3;

// Answers the request `unique` with a structure.
template <typename T>
void Answer(int device, uint64_t unique, T answer) {
  struct fuse_out_header header = {};
  header.len = sizeof(header) + sizeof(answer);
  header.unique = unique;
  const struct iovec parts[] = {{&header, sizeof(header)}, {&answer, sizeof(answer)}};
  (void)!writev(device, parts, 2);
}

struct fuse_attr AttributesOf(uint64_t node) {
  struct fuse_attr attributes = {};
  attributes.ino = node;
  attributes.mode = node == kFile ? S_IFREG | 0644 : S_IFDIR | 0755;
  attributes.nlink = 1;
  return attributes;
}

void AnswerRequest(int device, const struct fuse_in_header& request, const char* name) {
  switch (request.opcode) {
    case FUSE_INIT: {
      struct fuse_init_out init = {};
      init.major = FUSE_KERNEL_VERSION;
      init.minor = 31;
      init.max_write = 4096;
      return Answer(device, request.unique, init);
    }
    case FUSE_GETATTR: {
      struct fuse_attr_out attributes = {};
      attributes.attr = AttributesOf(request.nodeid);
      return Answer(device, request.unique, attributes);
    }
    case FUSE_LOOKUP: {
      struct fuse_entry_out entry = {};
      entry.nodeid = name[0] == 'd' ? kDirectory : kFile;
      entry.attr = AttributesOf(entry.nodeid);
      return Answer(device, request.unique, entry);
    }
    case FUSE_OPEN:
    case FUSE_OPENDIR:
      return Answer(device, request.unique, fuse_open_out{});
    case FUSE_STATFS:
      return Answer(device, request.unique, fuse_statfs_out{});
    default: {
      struct fuse_out_header header = {};
      header.len = sizeof(header);
      header.error = -ENOSYS;
      header.unique = request.unique;
      // To these nobody waits for an answer.
      if (request.opcode == FUSE_FORGET || request.opcode == FUSE_BATCH_FORGET) return;
      (void)!write(device, &header, sizeof(header));
    }
  }
}

}  // namespace

// In a child of a test, which may have threads: system calls alone.
void SilentFuse::Serve(int device, Shared* shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  CloseDescriptorsBut(device, device);
  static char buffer[size_t{256} << 10];
  while (true) {
    const ssize_t size = read(device, buffer, sizeof(buffer));
    if (size < 0 && (errno == EINTR || errno == ENOENT)) continue;
    if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) _exit(0);
    struct fuse_in_header request;
    memcpy(&request, buffer, sizeof(request));
    if (shared->silent) {
      ++shared->unanswered;
    } else {
      AnswerRequest(device, request, buffer + sizeof(request));
    }
  }
}

absl::StatusOr<std::unique_ptr<SilentFuse>> SilentFuse::Mount(const std::string& directory) {
  const OwnedFd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  int error = errno;
  if (!device.ok()) return ErrnoStatus(error, "open", "/dev/fuse");
  const std::string options =
      absl::StrCat("fd=", device.get(), ",rootmode=40000,user_id=0,group_id=0,allow_other");
  if (mount("silent", directory.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    error = errno;
    return ErrnoStatus(error, "mount", directory);
  }
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  error = errno;
  if (memory == MAP_FAILED) return ErrnoStatus(error, "mmap");
  auto* const shared = new (memory) Shared{};
  const pid_t server = fork();
  error = errno;
  if (server < 0) return ErrnoStatus(error, "fork");
  if (server == 0) Serve(device.get(), shared);
  auto fuse = absl::WrapUnique(new SilentFuse(directory, shared, server));
  // Answered once the two have met: who waits for that can be killed.
  struct stat root;
  error = stat(directory.c_str(), &root) == 0 ? 0 : errno;
  if (error != 0) return ErrnoStatus(error, "stat", directory);
  return fuse;
}

SilentFuse::~SilentFuse() {
  // The connection ends with the device's last descriptor.
  kill(server_, SIGKILL);
  while (waitpid(server_, nullptr, 0) < 0 && errno == EINTR) {
  }
  umount2(directory_.c_str(), MNT_DETACH);
  munmap(shared_, sizeof(Shared));
}

void SilentFuse::GoSilent() { shared_->silent = true; }

int SilentFuse::unanswered() const { return shared_->unanswered; }

}  // namespace nsctl::testing
