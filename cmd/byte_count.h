// Numbers of bytes as people type them: "4096", "64K", "10G".

#ifndef NSCTL_CMD_BYTE_COUNT_H_
#define NSCTL_CMD_BYTE_COUNT_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace nsctl::cmd {

// Suffixes K, M, G, T are powers of 1024, in either case, with or without "iB" or "B" behind them.
// nullopt for other text and for what does not fit.
std::optional<uint64_t> ParseByteCount(absl::string_view text);

}  // namespace nsctl::cmd

#endif  // NSCTL_CMD_BYTE_COUNT_H_
