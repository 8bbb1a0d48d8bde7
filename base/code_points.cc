#include "base/code_points.h"

#include <algorithm>
#include <iterator>

#include "absl/types/span.h"
#include "base/code_point_tables.h"

namespace nsctl::base {
namespace {

constexpr CodePointRange kTerminalHazards[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

// `ranges` are sorted and do not overlap.
bool Contains(absl::Span<const CodePointRange> ranges, char32_t code_point) {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), code_point,
      [](char32_t value, const CodePointRange& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

}  // namespace

bool IsTerminalHazard(char32_t code_point) { return Contains(kTerminalHazards, code_point); }

bool IsZeroWidth(char32_t code_point) { return Contains(kZeroWidthRanges, code_point); }

bool IsWide(char32_t code_point) { return Contains(kWideRanges, code_point); }

}  // namespace nsctl::base
