#include "engines/json_text.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "base/utf8.h"
#include "nlohmann/json.hpp"

namespace nsctl::engines {
namespace {

absl::Status NotJson() { return absl::InvalidArgumentError("is not JSON"); }

// Rewrites a document into one whose decoded strings are stored text: a backslash becomes two, a
// byte that is not UTF-8 the characters \xHH.
class StoredTextWriter {
 public:
  StoredTextWriter(absl::string_view text, JsonLimits limits) : rest_(text), limits_(limits) {
    out_.reserve(text.size() + text.size() / 16);
  }

  absl::StatusOr<std::string> Write() && {
    while (!rest_.empty()) {
      const char byte = rest_[0];
      if (in_string_ && byte == '\\') {
        TakeEscape();
      } else if (static_cast<unsigned char>(byte) >= 0x80) {
        TakeCharacter();
      } else {
        NSCTL_RETURN_IF_ERROR(Count(byte));
        Copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  void Copy(size_t length) {
    out_.append(rest_.data(), length);
    rest_.remove_prefix(length);
  }

  void TakeEscape() {
    constexpr size_t kUnicodeEscape = 6;
    if (absl::StartsWith(rest_, "\\\\")) {
      out_ += "\\\\\\\\";
      rest_.remove_prefix(2);
    } else if (absl::StartsWithIgnoreCase(rest_.substr(0, kUnicodeEscape), "\\u005c") &&
               rest_[1] == 'u') {
      out_ += "\\\\\\\\";
      rest_.remove_prefix(kUnicodeEscape);
    } else {
      // What follows the backslash may be a quote, or the text's end.
      Copy(rest_.size() < 2 || static_cast<unsigned char>(rest_[1]) >= 0x80 ? 1 : 2);
    }
  }

  void TakeCharacter() {
    const size_t length = base::FirstUtf8Character(rest_).length;
    if (length > 0) return Copy(length);
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(rest_[0]);
    out_ += "\\\\x";
    out_ += kHex[byte >> 4];
    out_ += kHex[byte & 15];
    rest_.remove_prefix(1);
  }

  absl::Status Count(char byte) {
    // The parser would take it for the end, whatever follows.
    if (byte == '\0') return NotJson();
    if (byte == '"') in_string_ = !in_string_;
    if (in_string_) return absl::OkStatus();
    if ((byte == '[' || byte == '{') && ++depth_ > limits_.max_depth) {
      return absl::ResourceExhaustedError(
          absl::StrCat("JSON is more than ", limits_.max_depth, " deep"));
    }
    if ((byte == ']' || byte == '}') && depth_ > 0) --depth_;
    return absl::OkStatus();
  }

  absl::string_view rest_;
  const JsonLimits limits_;
  std::string out_;
  size_t depth_ = 0;
  bool in_string_ = false;
};

const Json& Nothing() {
  static const Json* const nothing = new Json();
  return *nothing;
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("JSON is longer than ", limits.max_bytes, " bytes"));
  }
  NSCTL_ASSIGN_OR_RETURN(const std::string stored, StoredTextWriter(text, limits).Write());
  Json value = Json::parse(stored, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return NotJson();
  return value;
}

const Json& Member(const Json& object, const char* name) {
  if (!object.is_object()) return Nothing();
  const auto found = object.find(name);
  return found == object.end() ? Nothing() : *found;
}

std::string TextOf(const Json& value) {
  const std::string* const text = value.get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

std::string TextMember(const Json& object, const char* name) {
  return TextOf(Member(object, name));
}

std::optional<int64_t> IntOf(const Json& value) {
  if (const auto* number = value.get_ptr<const Json::number_unsigned_t*>(); number != nullptr) {
    if (*number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(*number);
  }
  if (const auto* number = value.get_ptr<const Json::number_integer_t*>(); number != nullptr) {
    return *number;
  }
  return std::nullopt;
}

std::optional<int64_t> IntMember(const Json& object, const char* name) {
  return IntOf(Member(object, name));
}

std::optional<bool> BoolMember(const Json& object, const char* name) {
  const bool* const value = Member(object, name).get_ptr<const bool*>();
  return value == nullptr ? std::nullopt : std::optional<bool>(*value);
}

}  // namespace nsctl::engines
