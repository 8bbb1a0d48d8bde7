#include "base/capget.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/errors.h"

namespace nsctl::base {

absl::StatusOr<CapabilityMasks> CapabilityMasksOf(Tid tid) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = tid.value};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data = {};
  if (syscall(SYS_capget, &header, data.data()) != 0) {
    const int error = errno;
    return ErrnoStatus(error, "capget", absl::StrCat("thread ", tid.value));
  }
  return CapabilityMasks{.effective = data[0].effective | uint64_t{data[1].effective} << 32,
                         .permitted = data[0].permitted | uint64_t{data[1].permitted} << 32,
                         .inheritable = data[0].inheritable | uint64_t{data[1].inheritable} << 32};
}

}  // namespace nsctl::base
