#include "cmd/terminal_stream.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

// How many bytes at the end of `text` may be the beginning of a character of UTF-8.
size_t UnfinishedBytes(absl::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

std::string EscapeWhole(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t plain = std::min(text.find_first_of("\n\t"), text.size());
    absl::StrAppend(&out, base::TerminalText(text.substr(0, plain)));
    text.remove_prefix(plain);
    if (text.empty()) break;
    out.push_back(text[0]);
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace

std::string TerminalStream::Escape(absl::string_view piece) {
  held_.append(piece.data(), piece.size());
  const size_t unfinished = UnfinishedBytes(held_);
  const std::string rest = held_.substr(held_.size() - unfinished);
  held_.resize(held_.size() - unfinished);
  std::string out = EscapeWhole(held_);
  held_ = rest;
  return out;
}

std::string TerminalStream::Finish() {
  std::string out = EscapeWhole(held_);
  held_.clear();
  return out;
}

}  // namespace nsctl::cmd
