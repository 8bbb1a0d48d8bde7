#include "nsdisc/message_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace nsctl::nsdisc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Protobuf's wire types (https://protobuf.dev/programming-guides/encoding). Groups are left out:
// proto3 has none, so no later snapshot will.
enum WireType { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

constexpr size_t kMaxVarint = 10;

std::optional<uint64_t> TakeVarint(absl::string_view* bytes) {
  uint64_t value = 0;
  const size_t limit = std::min(bytes->size(), kMaxVarint);
  for (size_t i = 0; i < limit; ++i) {
    const auto byte = static_cast<uint8_t>((*bytes)[i]);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

absl::Status NotText(const FieldDescriptor& field) {
  return absl::InvalidArgumentError(absl::StrCat("field ", field.full_name(), " is not text"));
}

class WireWalker {
 public:
  explicit WireWalker(absl::string_view bytes) : all_(bytes) {}

  // The stack is as deep as the schema is, whatever the bytes are.
  absl::Status Walk(absl::string_view bytes, const Descriptor& schema) const {
    while (!bytes.empty()) NSCTL_RETURN_IF_ERROR(WalkField(&bytes, schema));
    return absl::OkStatus();
  }

 private:
  absl::Status WalkField(absl::string_view* bytes, const Descriptor& schema) const {
    const absl::string_view start = *bytes;
    const std::optional<uint64_t> tag = TakeVarint(bytes);
    if (!tag.has_value()) return BadFraming(start, kMaxVarint);
    // The parser would drop the upper half and see another field.
    if (*tag > std::numeric_limits<uint32_t>::max()) return Malformed(start);
    switch (*tag & 7) {
      case kVarint:
        return TakeVarint(bytes).has_value() ? absl::OkStatus() : BadFraming(*bytes, kMaxVarint);
      case kFixed64:
        return Skip(bytes, 8);
      case kFixed32:
        return Skip(bytes, 4);
      case kLengthDelimited:
        break;
      default:
        return Malformed(start);
    }
    const absl::string_view at_length = *bytes;
    const std::optional<uint64_t> length = TakeVarint(bytes);
    if (!length.has_value()) return BadFraming(at_length, kMaxVarint);
    const absl::string_view content = bytes->substr(0, *length);
    NSCTL_RETURN_IF_ERROR(Skip(bytes, *length));
    const FieldDescriptor* const field = schema.FindFieldByNumber(static_cast<int>(*tag >> 3));
    return field == nullptr ? absl::OkStatus() : WalkContent(content, *field);
  }

  absl::Status WalkContent(absl::string_view content, const FieldDescriptor& field) const {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return IsStoredText(content) ? absl::OkStatus() : NotText(field);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Walk(content, *field.message_type());
      default:
        return absl::OkStatus();
    }
  }

  absl::Status Skip(absl::string_view* bytes, uint64_t count) const {
    if (bytes->size() < count) return BadFraming(*bytes, count);
    bytes->remove_prefix(count);
    return absl::OkStatus();
  }

  // Something of up to `needed` bytes does not end within `rest`. Where that reaches past the end
  // of everything, more bytes would have helped.
  absl::Status BadFraming(absl::string_view rest, uint64_t needed) const {
    const auto left = static_cast<size_t>(all_.data() + all_.size() - rest.data());
    if (left >= needed || left > rest.size()) return Malformed(rest);
    return absl::InvalidArgumentError(absl::StrCat("cut short at byte ", all_.size()));
  }

  absl::Status Malformed(absl::string_view rest) const {
    return absl::InvalidArgumentError(
        absl::StrCat("malformed at byte ", rest.data() - all_.data()));
  }

  absl::string_view all_;
};

absl::Status CheckTextField(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      NSCTL_RETURN_IF_ERROR(CheckText(field.is_repeated()
                                          ? reflection.GetRepeatedMessage(message, &field, i)
                                          : reflection.GetMessage(message, &field)));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string& text =
          field.is_repeated() ? reflection.GetRepeatedStringReference(message, &field, i, &scratch)
                              : reflection.GetStringReference(message, &field, &scratch);
      if (!IsStoredText(text)) return NotText(field);
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsStoredText(absl::string_view text) {
  const bool is_plain =
      std::none_of(text.begin(), text.end(), [](char c) { return c < 0 || c == '\\'; });
  if (is_plain) return true;
  if (!base::DecodeText(text).has_value()) return false;
  // Encoding once more doubles the backslashes; it adds anything else only to what is not UTF-8.
  const auto backslashes = static_cast<size_t>(std::count(text.begin(), text.end(), '\\'));
  return base::EncodeText(text).size() == text.size() + backslashes;
}

absl::Status CheckSerializedText(absl::string_view bytes, const Descriptor& schema) {
  return WireWalker(bytes).Walk(bytes, schema);
}

absl::Status CheckText(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    NSCTL_RETURN_IF_ERROR(CheckTextField(message, *field));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::nsdisc
