#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace nsctl::base {
namespace {

struct LeadByte {
  size_t length;
  // Bounds of the second byte: they alone exclude overlong forms, surrogates and too large values
  // (The Unicode Standard, table 3-7).
  uint8_t second_min;
  uint8_t second_max;
};

LeadByte Classify(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xc2) return {0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte < 0xf0) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte < 0xf4) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

Utf8Character FirstUtf8Character(absl::string_view text) {
  if (text.empty()) return {};
  const uint8_t first = static_cast<uint8_t>(text[0]);
  const LeadByte lead = Classify(first);
  if (lead.length == 1) return {first, 1};
  if (lead.length == 0 || text.size() < lead.length) return {};

  const uint8_t second = static_cast<uint8_t>(text[1]);
  if (second < lead.second_min || second > lead.second_max) return {};
  char32_t code_point = first & (0x7f >> lead.length);
  code_point = code_point << 6 | (second & 0x3f);
  for (size_t i = 2; i < lead.length; ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (byte & 0x3f);
  }
  return {code_point, lead.length};
}

}  // namespace nsctl::base
