#include "base/utf8.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace nsctl::base {

void PrintTo(const Utf8Character& character, std::ostream* os) {
  *os << "{U+" << std::hex << static_cast<uint32_t>(character.code_point) << std::dec << ", "
      << character.length << " bytes}";
}

namespace {

std::string Encode(char32_t code_point) {
  const auto continuation = [&](int shift) {
    return static_cast<char>(0x80 | ((code_point >> shift) & 0x3f));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xc0 | code_point >> 6), continuation(0)};
  if (code_point < 0x10000) {
    return {static_cast<char>(0xe0 | code_point >> 12), continuation(6), continuation(0)};
  }
  return {static_cast<char>(0xf0 | code_point >> 18), continuation(12), continuation(6),
          continuation(0)};
}

TEST(FirstUtf8Character, DecodesEveryCharacterAndRefusesSurrogates) {
  for (char32_t code_point = 0; code_point <= 0x10ffff; ++code_point) {
    const std::string text = Encode(code_point);
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    const Utf8Character expected =
        surrogate ? Utf8Character{} : Utf8Character{code_point, text.size()};
    ASSERT_EQ(FirstUtf8Character(text), expected);
    ASSERT_EQ(FirstUtf8Character(text + "\x80z"), expected);
  }
}

TEST(FirstUtf8Character, RefusesWhatIsCutShort) {
  for (const char32_t code_point : {U'é', U'中', U'😀'}) {
    const std::string text = Encode(code_point);
    for (size_t length = 0; length < text.size(); ++length) {
      EXPECT_EQ(FirstUtf8Character(text.substr(0, length)), Utf8Character{});
      EXPECT_EQ(FirstUtf8Character(text.substr(0, length) + "a").length, length == 0 ? 1u : 0u);
    }
  }
}

TEST(FirstUtf8Character, RefusesIllFormedSequences) {
  struct Case {
    const char* name;
    absl::string_view text;
  };
  const Case cases[] = {
      {"nothing", ""},
      {"lone continuation", "\x80"},
      {"last continuation", "\xbf"},
      {"overlong slash in two bytes", "\xc0\xaf"},
      {"overlong in two bytes", "\xc1\xbf"},
      {"overlong in three bytes", "\xe0\x9f\xbf"},
      {"overlong in four bytes", "\xf0\x8f\xbf\xbf"},
      {"above U+10FFFF", "\xf4\x90\x80\x80"},
      {"lead byte of five", "\xf8\x88\x80\x80\x80"},
      {"0xfe", "\xfe"},
      {"0xff", "\xff"},
      {"third byte no continuation", "\xe4\xb8z"},
      {"fourth byte no continuation", "\xf0\x9f\x98\xc0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(FirstUtf8Character(c.text), Utf8Character{});
  }
}

}  // namespace
}  // namespace nsctl::base
