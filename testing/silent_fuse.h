// A FUSE file system whose server takes requests and, from a chosen moment on, answers none: who
// waits for it then cannot be killed.

#ifndef NSCTL_TESTING_SILENT_FUSE_H_
#define NSCTL_TESTING_SILENT_FUSE_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/fd.h"

namespace nsctl::testing {

class SilentFuse {
 public:
  // Mounts it on `directory`, in the caller's mount namespace. Every name that begins with "d" is a
  // directory in it, every other one a file, and the kernel may remember none of them.
  // Errors: those of open(2) and mount(2): EPERM, ENOENT for /dev/fuse.
  static absl::StatusOr<std::unique_ptr<SilentFuse>> Mount(const std::string& directory);

  SilentFuse(const SilentFuse&) = delete;
  SilentFuse& operator=(const SilentFuse&) = delete;
  // Lets everybody go who waits, and unmounts.
  ~SilentFuse();

  void GoSilent();

  // How many requests were taken since it is silent.
  int unanswered() const;

 private:
  // In memory that the server shares.
  struct Shared {
    std::atomic<bool> silent;
    std::atomic<int> unanswered;
  };

  SilentFuse(std::string directory, Shared* shared, pid_t server)
      : directory_(std::move(directory)), shared_(shared), server_(server) {}

  static void Serve(int device, Shared* shared);

  const std::string directory_;
  Shared* const shared_;
  const pid_t server_;
};

}  // namespace nsctl::testing

#endif  // NSCTL_TESTING_SILENT_FUSE_H_
