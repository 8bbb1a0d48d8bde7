#include "base/text.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/code_points.h"
#include "base/utf8.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

using ::testing::Optional;

TEST(EncodeText, KeepsUtf8AndEscapesTheRest) {
  struct Case {
    const char* name;
    absl::string_view bytes;
    absl::string_view text;
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"ASCII", "/usr/bin/env", "/usr/bin/env"},
      {"controls are valid UTF-8", "a\nb\x1b\x7f", "a\nb\x1b\x7f"},
      {"NUL", absl::string_view("a\0b", 3), absl::string_view("a\0b", 3)},
      {"UTF-8", "naïve 中 😀", "naïve 中 😀"},
      {"backslash", R"(a\b)", R"(a\\b)"},
      {"looks like an escape", R"(\x41)", R"(\\x41)"},
      {"lone byte", "\xff", R"(\xff)"},
      {"Latin-1", "caf\xe9!", R"(caf\xe9!)"},
      {"character cut short", "\xe4\xb8", R"(\xe4\xb8)"},
      {"surrogate", "\xed\xa0\x80", R"(\xed\xa0\x80)"},
      {"overlong", "\xc0\xaf", R"(\xc0\xaf)"},
      {"bad byte among characters", "中\x80中", "中\\x80中"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(EncodeText(c.bytes), c.text);
    EXPECT_THAT(DecodeText(c.text), Optional(std::string(c.bytes)));
  }
}

// The encoder looks at eight bytes at once.
TEST(EncodeText, FindsABackslashAtEveryPosition) {
  for (size_t size = 1; size <= 40; ++size) {
    for (size_t position = 0; position < size; ++position) {
      std::string bytes(size, 'z');
      bytes[position] = '\\';
      std::string expected(size, 'z');
      expected.replace(position, 1, R"(\\)");
      EXPECT_EQ(EncodeText(bytes), expected);
    }
  }
}

TEST(AppendEncodedText, Appends) {
  std::string out = "before ";

  AppendEncodedText("a\\\xff", &out);

  EXPECT_EQ(out, R"(before a\\\xff)");
}

TEST(DecodeText, RefusesWhatTheEncoderDoesNotWrite) {
  struct Case {
    const char* name;
    absl::string_view text;
  };
  const Case cases[] = {
      {"lone backslash", "\\"},    {"at the end", "abc\\"},  {"other letter", R"(\n)"},
      {"no digits", R"(\x)"},      {"one digit", R"(\x4)"},  {"upper case", R"(\xFF)"},
      {"no hex digit", R"(\x4g)"}, {"capital x", R"(\X41)"}, {"octal, as in mountinfo", R"(\040)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(DecodeText(c.text), std::nullopt);
  }
}

TEST(TerminalText, EscapesWhatATerminalWouldActOn) {
  struct Case {
    const char* name;
    absl::string_view text;
    absl::string_view shown;
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"plain", "nginx: worker", "nginx: worker"},
      {"UTF-8", "naïve 中 😀", "naïve 中 😀"},
      {"escapes of stored text stay", R"(a\\b\xff)", R"(a\\b\xff)"},
      {"OSC 52 sets the clipboard", "\x1b]52;c;aGk=\x07", R"(\x1b]52;c;aGk=\x07)"},
      {"tab and newline", "a\tb\nc", R"(a\x09b\x0ac)"},
      {"NUL", absl::string_view("\0", 1), R"(\x00)"},
      {"DEL", "\x7f", R"(\x7f)"},
      {"C1 control sequence introducer", "\xc2\x9b", R"(\xc2\x9b)"},
      {"right-to-left override", "\xe2\x80\xae", R"(\xe2\x80\xae)"},
      {"zero-width space", "a\xe2\x80\x8b", R"(a\xe2\x80\x8b)"},
      {"tag", "\xf3\xa0\x81\x81", R"(\xf3\xa0\x81\x81)"},
      {"not valid UTF-8", "\x9b\xe4\xb8", R"(\x9b\xe4\xb8)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(TerminalText(c.text), c.shown);
  }
}

TEST(TerminalText, FindsAControlAtEveryPosition) {
  for (size_t size = 1; size <= 40; ++size) {
    for (size_t position = 0; position < size; ++position) {
      for (const char control : {'\0', '\x1f', '\x7f'}) {
        std::string text(size, '~');
        text[position] = control;
        std::string expected(size, '~');
        const char* const escape = control == '\0'     ? R"(\x00)"
                                   : control == '\x1f' ? R"(\x1f)"
                                                       : R"(\x7f)";
        expected.replace(position, 1, escape);
        EXPECT_EQ(TerminalText(text), expected);
      }
    }
  }
}

// Bytes of every sort, those with a meaning here more often than by chance.
std::string RandomBytes(std::mt19937& random) {
  constexpr absl::string_view kPieces[] = {
      "\\",
      "\\x41",
      "\xe2\x80\xae",
      "\xc2\x9b",
      "\xf3\xa0\x81\x81",
      "中",
      "e\xcc\x81",
      "😀",
      "\xed\xa0\x80",
      "\xf4\x90\x80\x80",
      "plain text of some length ",
      "\x1b[31m",
  };
  std::string bytes;
  const size_t pieces = random() % 12;
  for (size_t i = 0; i < pieces; ++i) {
    if (random() % 2 == 0) {
      absl::StrAppend(&bytes, kPieces[random() % std::size(kPieces)]);
    } else {
      for (size_t n = random() % 10; n > 0; --n) bytes.push_back(static_cast<char>(random()));
    }
  }
  return bytes;
}

// Why `text` must not reach a terminal; "" if it may.
std::string HazardIn(absl::string_view text) {
  while (!text.empty()) {
    const Utf8Character next = FirstUtf8Character(text);
    if (next.length == 0) return "not valid UTF-8";
    if (next.code_point < 0x20 || next.code_point == 0x7f || IsTerminalHazard(next.code_point)) {
      return absl::StrCat("code point ", static_cast<uint32_t>(next.code_point));
    }
    text.remove_prefix(next.length);
  }
  return "";
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const Utf8Character next = FirstUtf8Character(text);
    if (next.length == 0) return false;
    text.remove_prefix(next.length);
  }
  return true;
}

TEST(Text, LosesNothingAndIsSafeForAnyBytes) {
  std::mt19937 random(20);
  for (int i = 0; i < 10000; ++i) {
    const std::string bytes = RandomBytes(random);

    const std::string stored = EncodeText(bytes);
    const std::string shown = TerminalText(stored);

    ASSERT_TRUE(IsUtf8(stored));
    ASSERT_THAT(DecodeText(stored), Optional(bytes));
    ASSERT_THAT(DecodeText(shown), Optional(bytes));
    ASSERT_EQ(HazardIn(shown), "");
    ASSERT_EQ(TerminalText(shown), shown);
    // Safe even for what is not stored text.
    ASSERT_EQ(HazardIn(TerminalText(bytes)), "");
  }
}

TEST(Text, TruncatesAnyTextToItsWidth) {
  std::mt19937 random(21);
  for (int i = 0; i < 5000; ++i) {
    const std::string shown = TerminalText(EncodeText(RandomBytes(random)));
    const size_t cells = random() % 30;

    const std::string cut = TruncateToWidth(shown, cells, "…");

    ASSERT_LE(DisplayWidth(cut), cells);
    ASSERT_EQ(HazardIn(cut), "");
    if (DisplayWidth(shown) <= cells) {
      ASSERT_EQ(cut, shown);
    }
  }
}

TEST(DisplayWidth, CountsCells) {
  struct Case {
    const char* name;
    absl::string_view text;
    size_t cells;
  };
  const Case cases[] = {
      {"nothing", "", 0},
      {"ASCII", "nginx", 5},
      {"accented", "naïve", 5},
      {"combining accent", "e\xcc\x81", 1},
      {"wide", "中文", 4},
      {"emoji", "😀", 2},
      {"half-width katakana", "ｱ", 1},
      {"escape", R"(\xff)", 4},
      {"bytes that are no character", "\xff\xfe", 2},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(DisplayWidth(c.text), c.cells);
  }
}

TEST(TruncateToWidth, CutsBetweenWhatBelongsTogether) {
  struct Case {
    const char* name;
    absl::string_view text;
    size_t cells;
    absl::string_view ellipsis;
    absl::string_view cut;
  };
  const Case cases[] = {
      {"fits", "nginx", 5, "…", "nginx"},
      {"does not fit", "nginx", 4, "…", "ngi…"},
      {"ASCII ellipsis", "nginx", 4, "+", "ngi+"},
      {"one cell", "nginx", 1, "…", "…"},
      {"no cell", "nginx", 0, "…", ""},
      {"nothing in no cell", "", 0, "…", ""},
      {"wide character does not fit half", "中文", 3, "…", "中…"},
      {"wide character leaves a cell free", "中文", 2, "…", "…"},
      {"combining sequence", "ae\xcc\x81z!", 3, "…", "ae\xcc\x81…"},
      {"byte escape", R"(ab\xffz)", 6, "…", "ab…"},
      {"whole byte escape", R"(ab\xffzz)", 7, "…", "ab\\xff…"},
      {"escaped backslash", R"(ab\\zz)", 4, "…", "ab…"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(TruncateToWidth(c.text, c.cells, c.ellipsis), c.cut);
  }
}

}  // namespace
}  // namespace nsctl::base
