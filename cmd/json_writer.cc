#include "cmd/json_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/text.h"

namespace nsctl::cmd {
namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";

// Bytes of the UTF-8 character that starts with `lead`, if it is one.
size_t LengthAfter(unsigned char lead) {
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

// Of a valid character of two to four bytes.
char32_t CodePointOf(absl::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  char32_t code_point = lead & (0xff >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) {
    code_point = (code_point << 6) | (static_cast<unsigned char>(character[i]) & 0x3f);
  }
  return code_point;
}

void AppendEscaped(char32_t code_point, std::string* out) {
  if (code_point < 0x10000) {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<uint32_t>(code_point));
    return;
  }
  const uint32_t offset = static_cast<uint32_t>(code_point) - 0x10000;
  absl::StrAppendFormat(out, "\\u%04x\\u%04x", 0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff));
}

// Printable, and written as it is.
bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void AppendAscii(char c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      if (c >= 0x20 && c != 0x7f) {
        out->push_back(c);
      } else {
        AppendEscaped(static_cast<unsigned char>(c), out);
      }
  }
}

// Appends the character at the start of `text`, which is not ASCII; returns the bytes it took.
size_t AppendNonAscii(absl::string_view text, std::string* out) {
  const absl::string_view character =
      text.substr(0, LengthAfter(static_cast<unsigned char>(text[0])));
  if (base::EncodeText(character) != character) {
    out->append(kReplacement);
    return 1;
  }
  if (base::TerminalText(character) == character) {
    out->append(character.data(), character.size());
  } else {
    AppendEscaped(CodePointOf(character), out);
  }
  return character.size();
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t i = 0; i < text.size();) {
    size_t plain = i;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out->append(text.data() + i, plain - i);
    i = plain;
    if (i == text.size()) break;
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      AppendAscii(text[i++], out);
    } else {
      i += AppendNonAscii(text.substr(i), out);
    }
  }
  out->push_back('"');
}

void JsonWriter::Begin(char bracket) {
  BeforeValue();
  Put(absl::string_view(&bracket, 1));
  counts_.push_back(0);
}

void JsonWriter::End(char bracket) {
  const bool empty = counts_.back() == 0;
  counts_.pop_back();
  if (!empty) BreakLine();
  Put(absl::string_view(&bracket, 1));
}

void JsonWriter::BreakLine() {
  if (indent_ == kCompact) return;
  scratch_.assign(1 + counts_.size() * static_cast<size_t>(indent_), ' ');
  scratch_[0] = '\n';
  Put(scratch_);
}

void JsonWriter::BeforeValue() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (counts_.empty()) return;
  if (counts_.back()++ > 0) Put(",");
  BreakLine();
}

void JsonWriter::Key(absl::string_view name) {
  String(name);
  Put(indent_ == kCompact ? ":" : ": ");
  after_key_ = true;
}

void JsonWriter::String(absl::string_view text) {
  BeforeValue();
  scratch_.clear();
  AppendJsonString(text, &scratch_);
  Put(scratch_);
}

void JsonWriter::Number(int64_t number) {
  BeforeValue();
  Put(absl::AlphaNum(number).Piece());
}

void JsonWriter::Number(uint64_t number) {
  BeforeValue();
  Put(absl::AlphaNum(number).Piece());
}

void JsonWriter::Bool(bool value) {
  BeforeValue();
  Put(value ? "true" : "false");
}

}  // namespace nsctl::cmd
