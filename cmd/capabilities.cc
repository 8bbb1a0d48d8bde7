#include "cmd/capabilities.h"

#include <cstddef>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace nsctl::cmd {
namespace {

// By number: include/uapi/linux/capability.h.
constexpr const char* kNames[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};
static_assert(std::size(kNames) == kLastNamedCapability + 1);

}  // namespace

std::string CapabilityName(int number) {
  const bool known = number >= 0 && static_cast<size_t>(number) < std::size(kNames);
  return known ? absl::StrCat("CAP_", kNames[number]) : absl::StrCat("CAP_", number);
}

std::vector<std::string> CapabilityNames(uint64_t set) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    if (HasCapability(set, number)) names.push_back(CapabilityName(number));
  }
  return names;
}

}  // namespace nsctl::cmd
