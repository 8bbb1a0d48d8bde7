#include "engines/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "procfsroot/handle.h"
#include "procfsroot/root.h"

namespace nsctl::engines {
namespace {

constexpr uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
// After these the folder is another one, or none.
constexpr uint32_t kEnds = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

}  // namespace

absl::StatusOr<FolderWatch> FolderWatch::Make(procfsroot::Root root, absl::string_view path) {
  base::OwnedFd inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify");
  if (!inotify.ok()) {
    const int error = errno;
    return base::ErrnoStatus(error, "inotify_init1");
  }
  return FolderWatch(std::move(root), path, std::move(inotify));
}

bool FolderWatch::Begin() {
  if (watching_) return false;
  const absl::StatusOr<base::OwnedFd> folder = root_.Resolve(path_);
  const absl::StatusOr<procfsroot::SelfFds> self = procfsroot::SelfFds::Open();
  if (!folder.ok() || !self.ok()) return false;
  watching_ = self->AddWatch(inotify_, *folder, kEvents).ok();
  return watching_;
}

void FolderWatch::Drain() {
  alignas(inotify_event) char bytes[16 << 10];
  while (true) {
    const ssize_t size = read(inotify_.get(), bytes, sizeof(bytes));
    if (size <= 0) return;
    size_t at = 0;
    while (at + sizeof(inotify_event) <= static_cast<size_t>(size)) {
      inotify_event event;
      memcpy(&event, bytes + at, sizeof(event));
      if ((event.mask & kEnds) != 0) watching_ = false;
      at += sizeof(event) + event.len;
    }
  }
}

}  // namespace nsctl::engines
