// Names of capabilities.

#ifndef NSCTL_CMD_CAPABILITIES_H_
#define NSCTL_CMD_CAPABILITIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// The numbers of the capabilities that this project asks about (capability.h of the kernel).
inline constexpr int kCapDacReadSearch = 2;
inline constexpr int kCapNetAdmin = 12;
inline constexpr int kCapSysChroot = 18;
inline constexpr int kCapSysPtrace = 19;
inline constexpr int kCapSysAdmin = 21;
inline constexpr int kCapSysResource = 24;
// The highest that has a name here.
inline constexpr int kLastNamedCapability = 40;

// "CAP_SYS_ADMIN" for 21; "CAP_63" for a number that has no name yet.
std::string CapabilityName(int number);

// The names of the bits in `set`, by number (capabilities(7)).
std::vector<std::string> CapabilityNames(uint64_t set);

inline bool HasCapability(uint64_t set, int number) { return (set >> number & 1) != 0; }

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CAPABILITIES_H_
