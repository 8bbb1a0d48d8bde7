#include "cmd/byte_count.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace nsctl::cmd {

std::optional<uint64_t> ParseByteCount(absl::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), absl::ascii_isdigit);
  const absl::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  const absl::string_view suffix = text.substr(digits.size());
  uint64_t count = 0;
  if (digits.empty() || !absl::SimpleAtoi(digits, &count)) return std::nullopt;
  if (suffix.empty() || absl::EqualsIgnoreCase(suffix, "B")) return count;
  constexpr absl::string_view kUnits = "kmgt";
  const size_t unit = kUnits.find(absl::ascii_tolower(static_cast<unsigned char>(suffix[0])));
  const absl::string_view rest = suffix.substr(1);
  const bool is_known =
      rest.empty() || absl::EqualsIgnoreCase(rest, "B") || absl::EqualsIgnoreCase(rest, "iB");
  if (unit == absl::string_view::npos || !is_known) return std::nullopt;
  const size_t shift = 10 * (unit + 1);
  if (count > std::numeric_limits<uint64_t>::max() >> shift) return std::nullopt;
  return count << shift;
}

}  // namespace nsctl::cmd
