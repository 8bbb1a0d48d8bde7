#include "base/code_points.h"

#include "absl/types/span.h"
#include "base/code_point_tables.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

TEST(CodePointTables, AreSortedWithoutOverlaps) {
  for (const absl::Span<const CodePointRange> ranges : {kZeroWidthRanges, kWideRanges}) {
    char32_t previous_last = 0;
    for (const CodePointRange& range : ranges) {
      EXPECT_LT(previous_last, range.first);
      EXPECT_LE(range.first, range.last);
      previous_last = range.last;
    }
  }
}

TEST(IsTerminalHazard, HoldsForTheListedRangesAlone) {
  struct Case {
    const char* name;
    char32_t first;
    char32_t last;
  };
  const Case cases[] = {
      {"C1 controls and DEL", 0x7f, 0x9f},
      {"soft hyphen", 0xad, 0xad},
      {"combining grapheme joiner", 0x34f, 0x34f},
      {"Arabic letter mark", 0x61c, 0x61c},
      {"Hangul fillers", 0x115f, 0x1160},
      {"Khmer inherent vowels", 0x17b4, 0x17b5},
      {"Mongolian selectors", 0x180b, 0x180f},
      {"zero width and marks", 0x200b, 0x200f},
      {"separators and embeddings", 0x2028, 0x202e},
      {"invisible operators and isolates", 0x2060, 0x206f},
      {"Hangul filler", 0x3164, 0x3164},
      {"variation selectors", 0xfe00, 0xfe0f},
      {"byte order mark", 0xfeff, 0xfeff},
      {"half-width Hangul filler", 0xffa0, 0xffa0},
      {"unassigned and interlinear annotation", 0xfff0, 0xfffb},
      {"shorthand controls", 0x1bca0, 0x1bca3},
      {"musical controls", 0x1d173, 0x1d17a},
      {"tags", 0xe0000, 0xe0fff},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_FALSE(IsTerminalHazard(c.first - 1));
    EXPECT_TRUE(IsTerminalHazard(c.first));
    EXPECT_TRUE(IsTerminalHazard(c.last));
    EXPECT_FALSE(IsTerminalHazard(c.last + 1));
  }
  EXPECT_TRUE(IsTerminalHazard(0));
  EXPECT_TRUE(IsTerminalHazard(0x1f));
  EXPECT_FALSE(IsTerminalHazard(' '));
}

TEST(IsZeroWidth, KnowsMarksFromCharactersWithAShape) {
  EXPECT_TRUE(IsZeroWidth(0x0301)) << "combining acute accent";
  EXPECT_TRUE(IsZeroWidth(0x20dd)) << "enclosing circle";
  EXPECT_TRUE(IsZeroWidth(0x11a8)) << "conjoining Hangul final";
  EXPECT_TRUE(IsZeroWidth(0x1d173)) << "musical format control";
  EXPECT_FALSE(IsZeroWidth('a'));
  EXPECT_FALSE(IsZeroWidth(0x0600)) << "Arabic number sign, a visible format character";
  EXPECT_FALSE(IsZeroWidth(0x1100)) << "Hangul initial";
}

TEST(IsWide, KnowsEastAsianCharactersAndEmoji) {
  EXPECT_TRUE(IsWide(0x4e2d)) << "CJK ideograph";
  EXPECT_TRUE(IsWide(0xac00)) << "Hangul syllable";
  EXPECT_TRUE(IsWide(0xff21)) << "full-width A";
  EXPECT_TRUE(IsWide(0x1f600)) << "emoji";
  EXPECT_TRUE(IsWide(0x20000)) << "ideograph outside of the BMP";
  EXPECT_FALSE(IsWide('a'));
  EXPECT_FALSE(IsWide(0xe9)) << "e with acute";
  EXPECT_FALSE(IsWide(0xff71)) << "half-width katakana";
  EXPECT_FALSE(IsWide(0x10ffff));
}

}  // namespace
}  // namespace nsctl::base
