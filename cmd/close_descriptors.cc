#include "cmd/close_descriptors.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace nsctl::cmd {

void CloseAllBut(int first, std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  for (const int fd : kept) {
    if (fd > first) syscall(SYS_close_range, first, fd - 1, 0);
    first = std::max(first, fd + 1);
  }
  syscall(SYS_close_range, first, ~0U, 0);
}

}  // namespace nsctl::cmd
