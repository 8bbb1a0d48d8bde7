#include "cmd/exec_launcher.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace nsctl::cmd {
namespace {

constexpr unsigned char kImage[] = {
#include "cmd/exec_launcher_image.inc"
};

// linux/memfd.h; says that it is meant to be executed, which hosts may else forbid (Linux 6.3).
constexpr unsigned int kMfdExec = 0x0010;

}  // namespace

absl::StatusOr<base::OwnedFd> MakeLauncher() {
  constexpr unsigned int kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create("nsctl-launcher", kFlags | kMfdExec);
  // NSCTL_ALLOW(close-on-exec): kFlags has it.
  if (fd < 0 && errno == EINVAL) fd = memfd_create("nsctl-launcher", kFlags);
  if (fd < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "memfd_create");
  }
  base::OwnedFd launcher(fd, "launcher");
  const absl::string_view image(reinterpret_cast<const char*>(kImage), sizeof(kImage));
  NSCTL_RETURN_IF_ERROR(base::WriteAll(launcher, image));
  // Whoever the command runs as executes it.
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (fchmod(fd, 0555) != 0 || fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "seal the launcher");
  }
  return launcher;
}

}  // namespace nsctl::cmd
