#include "cmd/cpu_list.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace nsctl::cmd {
namespace {

bool ParseCpu(absl::string_view text, uint32_t* cpu) {
  // SimpleAtoi would take blanks and a sign.
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit) && absl::SimpleAtoi(text, cpu);
}

}  // namespace

std::optional<std::vector<CpuRange>> ParseCpuList(absl::string_view text) {
  std::vector<CpuRange> ranges;
  if (text.empty()) return ranges;
  for (const absl::string_view word : absl::StrSplit(text, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(word, absl::MaxSplits('-', 1));
    CpuRange range;
    if (!ParseCpu(ends.first, &range.first)) return std::nullopt;
    range.last = range.first;
    const bool is_pair = ends.first.size() < word.size();
    if (is_pair && !ParseCpu(ends.second, &range.last)) return std::nullopt;
    if (range.last < range.first) return std::nullopt;
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace nsctl::cmd
