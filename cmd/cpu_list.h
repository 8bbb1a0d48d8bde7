// The kernel's lists of CPUs: "0-3,8" (cpuset(7), "List format").

#ifndef NSCTL_CMD_CPU_LIST_H_
#define NSCTL_CMD_CPU_LIST_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

struct CpuRange {
  uint32_t first = 0;
  uint32_t last = 0;

  friend bool operator==(const CpuRange&, const CpuRange&) = default;
};

// The ranges in their order; a lone CPU is a range of one. Empty text is an empty list. nullopt for
// anything that the kernel does not print.
std::optional<std::vector<CpuRange>> ParseCpuList(absl::string_view text);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_CPU_LIST_H_
