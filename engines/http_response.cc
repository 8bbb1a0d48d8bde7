#include "engines/http_response.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace nsctl::engines {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("HTTP response: malformed ", what));
}

absl::Status TooLong(absl::string_view what, size_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat("HTTP response: ", what, " of more than ", limit, " bytes"));
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// RFC 9110, 5.6.2.
bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

bool IsHex(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// All fields of that name have one and the same value.
absl::Status CheckOnce(const HttpHead& head, absl::string_view name) {
  const std::string* const first = head.Find(name);
  for (const auto& [other, value] : head.fields) {
    if (other == name && value != *first) return Malformed(absl::StrCat("field ", name));
  }
  return absl::OkStatus();
}

}  // namespace

const std::string* HttpHead::Find(absl::string_view name) const {
  for (const auto& [other, value] : fields) {
    if (other == name) return &value;
  }
  return nullptr;
}

absl::Status HttpResponseParser::TakeStatusLine(absl::string_view line) {
  // "HTTP/1.1 200 OK"; the reason may be missing, with its blank.
  constexpr size_t kLength = 12;
  if (line.size() < kLength || !absl::StartsWith(line, "HTTP/1.") ||
      !absl::ascii_isdigit(line[7]) || line[8] != ' ' || !IsDigits(line.substr(9, 3)) ||
      (line.size() > kLength && line[kLength] != ' ')) {
    return Malformed("status line");
  }
  head_ = {};
  if (!absl::SimpleAtoi(line.substr(9, 3), &head_.status) || head_.status < 100 ||
      head_.status > 599) {
    return Malformed("status");
  }
  state_ = State::kFields;
  return absl::OkStatus();
}

absl::Status HttpResponseParser::TakeField(absl::string_view line) {
  if (line.empty()) return EndHead();
  const size_t colon = line.find(':');
  // A line that goes on with the one before starts with a blank, which is no token either.
  if (colon == absl::string_view::npos || !IsToken(line.substr(0, colon)) ||
      absl::StrContains(line, '\r') || absl::StrContains(line, '\0')) {
    return Malformed("field");
  }
  head_.fields.emplace_back(absl::AsciiStrToLower(line.substr(0, colon)),
                            absl::StripAsciiWhitespace(line.substr(colon + 1)));
  return absl::OkStatus();
}

absl::Status HttpResponseParser::EndHead() {
  section_size_ = 0;
  if (head_.status != 101 && head_.status < 200) {
    state_ = State::kStatusLine;
    return absl::OkStatus();
  }
  NSCTL_RETURN_IF_ERROR(CheckOnce(head_, "content-length"));
  NSCTL_RETURN_IF_ERROR(CheckOnce(head_, "transfer-encoding"));
  const std::string* const length = head_.Find("content-length");
  const std::string* const encoding = head_.Find("transfer-encoding");
  if (length != nullptr &&
      (encoding != nullptr || !IsDigits(*length) || !absl::SimpleAtoi(*length, &remaining_))) {
    return Malformed("field content-length");
  }
  if (encoding != nullptr && !absl::EqualsIgnoreCase(*encoding, "chunked")) {
    return Malformed("field transfer-encoding");
  }
  if (head_.status == 101) {
    state_ = State::kUntilEnd;
  } else if (head_only_ || head_.status == 204 || head_.status == 304) {
    state_ = State::kDone;
  } else if (encoding != nullptr) {
    state_ = State::kChunkLine;
  } else if (length != nullptr) {
    state_ = remaining_ == 0 ? State::kDone : State::kCounted;
  } else {
    state_ = State::kUntilEnd;
  }
  return absl::OkStatus();
}

absl::Status HttpResponseParser::TakeChunkLine(absl::string_view line) {
  const absl::string_view size = absl::StripTrailingAsciiWhitespace(line.substr(0, line.find(';')));
  constexpr size_t kMaxDigits = 15;
  if (!IsHex(size) || size.size() > kMaxDigits || !absl::SimpleHexAtoi(size, &remaining_)) {
    return Malformed("chunk size");
  }
  section_size_ = 0;
  state_ = remaining_ == 0 ? State::kTrailers : State::kChunk;
  return absl::OkStatus();
}

absl::Status HttpResponseParser::TakeLine(absl::string_view line) {
  switch (state_) {
    case State::kStatusLine:
      return TakeStatusLine(line);
    case State::kFields:
      return TakeField(line);
    case State::kChunkLine:
      return TakeChunkLine(line);
    case State::kChunkEnd:
      if (!line.empty()) return Malformed("end of chunk");
      state_ = State::kChunkLine;
      return absl::OkStatus();
    default:
      // Trailers say nothing that is needed.
      if (line.empty()) state_ = State::kDone;
      return absl::OkStatus();
  }
}

absl::Status HttpResponseParser::TakeLineBytes(absl::string_view* bytes) {
  const bool is_chunk_line = state_ == State::kChunkLine || state_ == State::kChunkEnd;
  const size_t limit = is_chunk_line ? kMaxHttpChunkLine : kMaxHttpHead;
  if (is_chunk_line) section_size_ = line_.size();
  const size_t newline = bytes->find('\n');
  const size_t taken = newline == absl::string_view::npos ? bytes->size() : newline + 1;
  section_size_ += taken;
  if (section_size_ > limit) return TooLong(is_chunk_line ? "chunk line" : "head", limit);
  line_.append(bytes->data(), taken);
  bytes->remove_prefix(taken);
  if (newline == absl::string_view::npos) return absl::OkStatus();

  absl::string_view line = line_;
  line.remove_suffix(1);
  if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
  const absl::Status status = TakeLine(line);
  line_.clear();
  return status;
}

absl::Status HttpResponseParser::TakeBodyBytes(absl::string_view* bytes, std::string* body) {
  if (state_ == State::kUntilEnd) {
    body->append(bytes->data(), bytes->size());
    bytes->remove_prefix(bytes->size());
    return absl::OkStatus();
  }
  const auto taken = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes->size()));
  body->append(bytes->data(), taken);
  bytes->remove_prefix(taken);
  remaining_ -= taken;
  if (remaining_ == 0) state_ = state_ == State::kChunk ? State::kChunkEnd : State::kDone;
  return absl::OkStatus();
}

absl::Status HttpResponseParser::Feed(absl::string_view bytes, std::string* body) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::kChunk:
      case State::kCounted:
      case State::kUntilEnd:
        NSCTL_RETURN_IF_ERROR(TakeBodyBytes(&bytes, body));
        break;
      case State::kDone:
        // One request, one response.
        return Malformed("end: more bytes than the body has");
      default:
        NSCTL_RETURN_IF_ERROR(TakeLineBytes(&bytes));
    }
  }
  return absl::OkStatus();
}

absl::Status HttpResponseParser::Finish() {
  if (state_ == State::kUntilEnd) state_ = State::kDone;
  if (state_ == State::kDone) return absl::OkStatus();
  return absl::DataLossError(has_head() ? "HTTP response: the body is cut short"
                                        : "HTTP response: the connection ended before its head");
}

}  // namespace nsctl::engines
