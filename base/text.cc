#include "base/text.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "base/code_points.h"
#include "base/utf8.h"

namespace nsctl::base {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = kOnes * 0x80;

// The tests below look at eight bytes at once and set the high bit of each byte found. A borrow may
// flag bytes above the first one found as well, so only the lowest flag counts.
constexpr uint64_t NonAscii(uint64_t word) { return word & kHighBits; }

constexpr uint64_t Equal(uint64_t word, uint8_t byte) {
  const uint64_t difference = word ^ (kOnes * byte);
  return (difference - kOnes) & ~difference & kHighBits;
}

constexpr uint64_t Below(uint64_t word, uint8_t bound) {
  return (word - kOnes * bound) & ~word & kHighBits;
}

constexpr uint64_t NotStoredAsIs(uint64_t word) { return NonAscii(word) | Equal(word, '\\'); }

constexpr uint64_t NotPrintableAscii(uint64_t word) {
  return NonAscii(word) | Below(word, 0x20) | Equal(word, 0x7f);
}

// How many bytes of `text` stand before the first one that `Find` flags.
template <uint64_t (*Find)(uint64_t)>
size_t CountBefore(absl::string_view text) {
  for (size_t i = 0; i < text.size(); i += sizeof(uint64_t)) {
    // What pads a last, partial word is never flagged.
    uint64_t word = kOnes * 'a';
    const size_t rest = text.size() - i;
    if (rest >= sizeof(word)) {
      std::memcpy(&word, text.data() + i, sizeof(word));
    } else {
      std::memcpy(&word, text.data() + i, rest);
    }
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    if (const uint64_t found = Find(word); found != 0) {
      return i + static_cast<size_t>(std::countr_zero(found)) / 8;
    }
  }
  return text.size();
}

// How many bytes of `bytes` are stored as they are.
size_t CountUnchanged(absl::string_view bytes) {
  size_t count = 0;
  while (true) {
    count += CountBefore<NotStoredAsIs>(bytes.substr(count));
    if (count == bytes.size()) return count;
    const Utf8Character next = FirstUtf8Character(bytes.substr(count));
    if (next.length < 2) return count;
    count += next.length;
  }
}

void AppendEscapedBytes(absl::string_view bytes, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const uint8_t byte = static_cast<uint8_t>(c);
    const char escape[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0xf]};
    out->append(escape, sizeof(escape));
  }
}

// The value of a lower-case hex digit, -1 for anything else.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

struct Escape {
  char byte = 0;
  // Bytes of text that the escape takes; 0 where there is none.
  size_t length = 0;
};

// The escape at the start of `text`.
Escape FirstEscape(absl::string_view text) {
  if (absl::StartsWith(text, R"(\\)")) return {'\\', 2};
  if (text.size() < 4 || !absl::StartsWith(text, R"(\x)")) return {};
  const int high = HexValue(text[2]);
  const int low = HexValue(text[3]);
  if (high < 0 || low < 0) return {};
  return {static_cast<char>(high << 4 | low), 4};
}

size_t WidthOf(char32_t code_point) {
  if (IsZeroWidth(code_point)) return 0;
  return IsWide(code_point) ? 2 : 1;
}

struct Piece {
  size_t length = 0;
  size_t cells = 0;
};

// The character or escape at the start of `text`, which is not empty.
Piece FirstPiece(absl::string_view text) {
  if (const Escape escape = FirstEscape(text); escape.length > 0) {
    return {escape.length, escape.length};
  }
  const Utf8Character character = FirstUtf8Character(text);
  if (character.length < 2) return {1, 1};
  return {character.length, WidthOf(character.code_point)};
}

}  // namespace

std::string EncodeText(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  AppendEncodedText(bytes, &out);
  return out;
}

void AppendEncodedText(absl::string_view bytes, std::string* out) {
  while (true) {
    const size_t unchanged = CountUnchanged(bytes);
    out->append(bytes.data(), unchanged);
    bytes.remove_prefix(unchanged);
    if (bytes.empty()) return;
    if (bytes[0] == '\\') {
      out->append(R"(\\)");
    } else {
      AppendEscapedBytes(bytes.substr(0, 1), out);
    }
    bytes.remove_prefix(1);
  }
}

std::optional<std::string> DecodeText(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (true) {
    const size_t backslash = text.find('\\');
    bytes.append(text.data(), backslash == absl::string_view::npos ? text.size() : backslash);
    if (backslash == absl::string_view::npos) return bytes;
    text.remove_prefix(backslash);
    const Escape escape = FirstEscape(text);
    if (escape.length == 0) return std::nullopt;
    bytes.push_back(escape.byte);
    text.remove_prefix(escape.length);
  }
}

std::string TerminalText(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const size_t plain = CountBefore<NotPrintableAscii>(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) return out;
    const Utf8Character next = FirstUtf8Character(text);
    const absl::string_view bytes = text.substr(0, next.length == 0 ? 1 : next.length);
    if (next.length == 0 || IsTerminalHazard(next.code_point)) {
      AppendEscapedBytes(bytes, &out);
    } else {
      out.append(bytes.data(), bytes.size());
    }
    text.remove_prefix(bytes.size());
  }
}

size_t DisplayWidth(absl::string_view text) {
  size_t cells = 0;
  while (true) {
    const size_t ascii = CountBefore<NonAscii>(text);
    cells += ascii;
    text.remove_prefix(ascii);
    if (text.empty()) return cells;
    const Piece piece = FirstPiece(text);
    cells += piece.cells;
    text.remove_prefix(piece.length);
  }
}

std::string TruncateToWidth(absl::string_view text, size_t cells, absl::string_view ellipsis) {
  if (DisplayWidth(text) <= cells) return std::string(text);
  const size_t ellipsis_cells = DisplayWidth(ellipsis);
  if (ellipsis_cells > cells) return "";

  size_t kept = 0;
  size_t free_cells = cells - ellipsis_cells;
  while (kept < text.size()) {
    const Piece piece = FirstPiece(text.substr(kept));
    if (piece.cells > free_cells) break;
    free_cells -= piece.cells;
    kept += piece.length;
  }
  std::string out(text.substr(0, kept));
  out.append(ellipsis.data(), ellipsis.size());
  return out;
}

}  // namespace nsctl::base
