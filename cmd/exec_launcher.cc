#include "cmd/exec_launcher.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
// Next to no user namespace maps it: who is root there, and reads what its users may not, is not
// allowed to read what belongs to nobody there.
constexpr uid_t kNobodys = 4294967294;

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
  // Whoever the command runs as executes it. A process that executes what it cannot read is not
  // dumpable from its first instruction on.
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (fchmod(fd, 0111) != 0 || fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "seal the launcher");
  }
  // It stays the caller's own where he is not root, or is inside of a user namespace himself.
  if (fchown(fd, kNobodys, kNobodys) != 0 && errno != EPERM && errno != EINVAL) {
    const int error = errno;
    return base::ErrnoStatus(error, "give the launcher away");
  }
  return launcher;
}

}  // namespace nsctl::cmd
