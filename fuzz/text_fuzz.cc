// All bytes come back from what they are stored and printed as, and what is printed has nothing
// that drives a terminal, by a decoder and a list of the hazards that are not the encoder's own.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/text.h"

namespace {

using nsctl::base::DecodeText;

// What base/text.h lists at TerminalText, first and last.
constexpr char32_t kHazards[][2] = {
    {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},    {0x61c, 0x61c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},  {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},  {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

// Takes the first character off `text`; aborts where that is not well-formed UTF-8.
char32_t TakeCharacter(absl::string_view* text) {
  const auto first = static_cast<uint8_t>((*text)[0]);
  const size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first >= 0xf8 || (first >= 0x80 && first < 0xc0) || text->size() < length) abort();
  char32_t code_point = length == 1 ? first : first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<uint8_t>((*text)[i]);
    if ((byte & 0xc0) != 0x80) abort();
    code_point = code_point << 6 | (byte & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code_point < kSmallest[length] || code_point > 0x10ffff) abort();
  if (code_point >= 0xd800 && code_point < 0xe000) abort();
  text->remove_prefix(length);
  return code_point;
}

bool IsHazard(char32_t code_point) {
  return std::any_of(std::begin(kHazards), std::end(kHazards), [&](const char32_t(&range)[2]) {
    return code_point >= range[0] && code_point <= range[1];
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), std::min<size_t>(size, 4096));
  const std::string stored = nsctl::base::EncodeText(bytes);
  if (DecodeText(stored) != std::string(bytes)) abort();
  for (absl::string_view rest = stored; !rest.empty();) TakeCharacter(&rest);

  const std::string printed = nsctl::base::TerminalText(stored);
  if (DecodeText(printed) != std::string(bytes)) abort();
  for (absl::string_view rest = printed; !rest.empty();) {
    if (IsHazard(TakeCharacter(&rest))) abort();
  }
  if (nsctl::base::TerminalText(printed) != printed) abort();

  // Text that is not stored text is printed safely as well.
  const std::string raw = nsctl::base::TerminalText(bytes);
  for (absl::string_view rest = raw; !rest.empty();) {
    if (IsHazard(TakeCharacter(&rest))) abort();
  }
  const std::optional<std::string> decoded = DecodeText(bytes);
  if (decoded.has_value() && DecodeText(raw) != decoded) abort();

  const size_t width = nsctl::base::DisplayWidth(printed);
  for (const size_t cells : {size_t{0}, size_t{1}, size_t{7}, width}) {
    std::string cut = nsctl::base::TruncateToWidth(printed, cells, "+");
    if (nsctl::base::DisplayWidth(cut) > cells) abort();
    if (cells >= width) {
      if (cut != printed) abort();
    } else if (!cut.empty()) {
      cut.pop_back();
      if (!absl::StartsWith(printed, cut) || !DecodeText(cut).has_value()) abort();
    }
  }
  return 0;
}
