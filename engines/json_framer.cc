#include "engines/json_framer.h"

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace nsctl::engines {
namespace {

constexpr char kRecordSeparator = '\x1e';

bool IsSpace(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == kRecordSeparator;
}

bool Opens(char byte) { return byte == '{' || byte == '['; }
bool Closes(char byte) { return byte == '}' || byte == ']'; }

absl::Status NotAnArray() { return absl::InvalidArgumentError("is not a JSON array"); }

}  // namespace

absl::Status JsonFramer::Append(char byte) {
  if (value_.size() >= max_value_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("JSON value of more than ", max_value_bytes_, " bytes"));
  }
  value_ += byte;
  if (!IsSpace(byte)) last_significant_ = byte;
  return absl::OkStatus();
}

absl::Status JsonFramer::Begin(char byte) {
  depth_ = Opens(byte) ? 1 : 0;
  in_string_ = byte == '"';
  escaped_ = false;
  line_ended_ = false;
  place_ = Place::kElement;
  return Append(byte);
}

absl::Status JsonFramer::Emit(Visit visit) {
  // Moved out first: `visit` may fail.
  const std::string value = std::move(value_);
  value_.clear();
  in_string_ = false;
  depth_ = 0;
  if (shape_ == Shape::kArray && !in_array_) {
    place_ = Place::kAfter;
    return value == "null" ? absl::OkStatus() : NotAnArray();
  }
  place_ = Place::kNext;
  return visit(value);
}

// Around the elements of an array.
absl::Status JsonFramer::TakeOfArray(char byte) {
  switch (place_) {
    case Place::kBefore:
      if (byte == 'n') return Begin(byte);
      if (byte != '[') return NotAnArray();
      in_array_ = true;
      place_ = Place::kElement;
      return absl::OkStatus();
    case Place::kElement:
      if (byte == ']') {
        place_ = Place::kAfter;
        return absl::OkStatus();
      }
      if (byte == ',' || Closes(byte)) return NotAnArray();
      return Begin(byte);
    case Place::kNext:
      if (byte != ',' && byte != ']') return NotAnArray();
      place_ = byte == ',' ? Place::kElement : Place::kAfter;
      return absl::OkStatus();
    case Place::kAfter:
      return NotAnArray();
  }
  return NotAnArray();
}

absl::Status JsonFramer::TakeOutside(char byte, Visit visit) {
  if (IsSpace(byte)) return absl::OkStatus();
  if (shape_ == Shape::kArray) return TakeOfArray(byte);
  NSCTL_RETURN_IF_ERROR(Begin(byte));
  // A stray bracket is a piece of its own.
  return Closes(byte) || byte == ',' ? Emit(visit) : absl::OkStatus();
}

absl::Status JsonFramer::TakeInside(char byte, Visit visit) {
  if (in_string_) {
    if (byte == '\n' && shape_ == Shape::kSequence) {
      // No JSON string holds one: the line was cut.
      return Emit(visit);
    }
    NSCTL_RETURN_IF_ERROR(Append(byte));
    if (escaped_) {
      escaped_ = false;
    } else if (byte == '\\') {
      escaped_ = true;
    } else if (byte == '"') {
      in_string_ = false;
      if (depth_ == 0) return Emit(visit);
    }
    return absl::OkStatus();
  }
  if (depth_ == 0) {
    // A number, or one of the three words.
    if (IsSpace(byte)) return Emit(visit);
    if (Opens(byte) || Closes(byte) || byte == ',' || byte == '"') {
      NSCTL_RETURN_IF_ERROR(Emit(visit));
      return TakeOutside(byte, visit);
    }
    return Append(byte);
  }
  if (shape_ == Shape::kSequence && line_ended_ && Opens(byte) && last_significant_ != ':' &&
      last_significant_ != ',' && !Opens(last_significant_)) {
    // No value can stand here: the line before was cut.
    NSCTL_RETURN_IF_ERROR(Emit(visit));
    return TakeOutside(byte, visit);
  }
  if (byte == '\n') line_ended_ = true;
  if (!IsSpace(byte)) line_ended_ = false;
  if (byte == '"') in_string_ = true;
  if (Opens(byte)) ++depth_;
  NSCTL_RETURN_IF_ERROR(Append(byte));
  if (Closes(byte) && --depth_ == 0) return Emit(visit);
  return absl::OkStatus();
}

absl::Status JsonFramer::Take(char byte, Visit visit) {
  return value_.empty() ? TakeOutside(byte, visit) : TakeInside(byte, visit);
}

absl::Status JsonFramer::Feed(absl::string_view bytes, Visit visit) {
  for (const char byte : bytes) NSCTL_RETURN_IF_ERROR(Take(byte, visit));
  return absl::OkStatus();
}

absl::Status JsonFramer::Finish(Visit visit) {
  const bool cut = depth_ > 0 || in_string_;
  if (shape_ == Shape::kArray) {
    if (!in_array_ && !cut && !value_.empty()) return Emit(visit);
    return place_ == Place::kAfter ? absl::OkStatus()
                                   : absl::InvalidArgumentError("JSON array is cut short");
  }
  if (!value_.empty()) NSCTL_RETURN_IF_ERROR(Emit(visit));
  return cut ? absl::InvalidArgumentError("JSON value is cut short") : absl::OkStatus();
}

}  // namespace nsctl::engines
