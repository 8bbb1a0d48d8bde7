#include "engines/json_list_member.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace nsctl::engines {

void JsonListMember::Follow(char byte) {
  if (in_string_) {
    in_string_ = escaped_ || byte != '"';
    escaped_ = !escaped_ && byte == '\\';
  } else if (byte == '"') {
    in_string_ = true;
  } else if (byte == '{' || byte == '[') {
    ++depth_;
  } else if ((byte == '}' || byte == ']') && depth_ > 0) {
    --depth_;
  }
}

absl::Status JsonListMember::TakeOutside(char byte) {
  const bool space = absl::ascii_isspace(static_cast<unsigned char>(byte));
  if (place_ == Place::kBefore || place_ == Place::kAfter) {
    if (space) return absl::OkStatus();
    if (place_ == Place::kAfter || byte != '{') {
      return absl::InvalidArgumentError("is not a JSON object");
    }
    place_ = Place::kObject;
  } else if (in_string_ && depth_ == 1 && key_.size() <= name_.size()) {
    if (byte != '"' || escaped_) key_ += byte;
  } else if (!in_string_ && byte == '"') {
    key_.clear();
  } else if (!in_string_ && byte == ':' && depth_ == 1 && key_ == name_ && !found_) {
    found_ = true;
    place_ = Place::kList;
    depth_ = 0;
    return absl::OkStatus();
  }
  Follow(byte);
  if (depth_ == 0) place_ = Place::kAfter;
  return absl::OkStatus();
}

bool JsonListMember::TakeOfList(char byte) {
  if (!in_string_ && depth_ == 0 && (byte == ',' || byte == '}')) return false;
  Follow(byte);
  return true;
}

absl::Status JsonListMember::Feed(absl::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    if (place_ != Place::kList) {
      NSCTL_RETURN_IF_ERROR(TakeOutside(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    size_t size = 0;
    while (size < bytes.size() && TakeOfList(bytes[size])) ++size;
    NSCTL_RETURN_IF_ERROR(framer_.Feed(bytes.substr(0, size), visit));
    bytes.remove_prefix(size);
    if (bytes.empty()) break;
    NSCTL_RETURN_IF_ERROR(framer_.Finish(visit));
    place_ = Place::kObject;
    depth_ = 1;
  }
  return absl::OkStatus();
}

absl::Status JsonListMember::Finish() const {
  if (place_ != Place::kAfter) return absl::InvalidArgumentError("JSON object is cut short");
  if (!found_) return absl::InvalidArgumentError(absl::StrCat("has no member ", name_));
  return absl::OkStatus();
}

}  // namespace nsctl::engines
