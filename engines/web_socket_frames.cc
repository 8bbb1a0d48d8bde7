#include "engines/web_socket_frames.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "engines/sha1.h"

namespace nsctl::engines {
namespace {

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kOpcode = 0x0f;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLength = 0x7f;
// Lengths that say how many bytes the length has.
constexpr uint8_t kTwoBytes = 126;
constexpr uint8_t kEightBytes = 127;

absl::Status Forbidden(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("WebSocket: ", what));
}

uint8_t ByteAt(absl::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

bool IsControl(WebSocketOpcode opcode) { return (static_cast<uint8_t>(opcode) & 0x8) != 0; }

bool IsKnown(uint8_t opcode) {
  return opcode <= static_cast<uint8_t>(WebSocketOpcode::kBinary) ||
         (opcode >= static_cast<uint8_t>(WebSocketOpcode::kClose) &&
          opcode <= static_cast<uint8_t>(WebSocketOpcode::kPong));
}

// Of the header whose first two bytes are there.
size_t HeaderSize(absl::string_view header) {
  const uint8_t length = ByteAt(header, 1) & kLength;
  return length == kEightBytes ? 10 : length == kTwoBytes ? 4 : 2;
}

}  // namespace

absl::Status WebSocketParser::TakeHeader(absl::string_view* bytes) {
  while (!bytes->empty() && (header_.size() < 2 || header_.size() < HeaderSize(header_))) {
    header_ += bytes->front();
    bytes->remove_prefix(1);
  }
  if (header_.size() < 2 || header_.size() < HeaderSize(header_)) return absl::OkStatus();
  const uint8_t first = ByteAt(header_, 0);
  if ((first & kReserved) != 0) return Forbidden("a reserved bit is set");
  if (!IsKnown(first & kOpcode)) return Forbidden("an opcode is unknown");
  if ((ByteAt(header_, 1) & kMasked) != 0) return Forbidden("a server's frame is masked");
  final_ = (first & kFinal) != 0;
  opcode_ = static_cast<WebSocketOpcode>(first & kOpcode);
  uint64_t length = ByteAt(header_, 1) & kLength;
  if (header_.size() > 2) {
    length = 0;
    for (size_t i = 2; i < header_.size(); ++i) length = length << 8 | ByteAt(header_, i);
    const uint64_t least = header_.size() == 4 ? kTwoBytes : uint64_t{1} << 16;
    if (length < least || length >> 63 != 0) return Forbidden("a length is malformed");
  }
  return BeginFrame(length);
}

absl::Status WebSocketParser::BeginFrame(uint64_t length) {
  header_.clear();
  in_payload_ = true;
  remaining_ = length;
  if (IsControl(opcode_)) {
    control_.clear();
    if (!final_) return Forbidden("a control frame is in pieces");
    if (length > kMaxWebSocketControl) return Forbidden("a control frame is too long");
    if (opcode_ == WebSocketOpcode::kClose && length == 1) {
      return Forbidden("a close frame is malformed");
    }
    return absl::OkStatus();
  }
  const bool continues = opcode_ == WebSocketOpcode::kContinuation;
  if (continues != in_message_) {
    return Forbidden(continues ? "a message goes on that has not begun"
                               : "a message begins inside of another one");
  }
  if (!continues) {
    in_message_ = true;
    message_opcode_ = opcode_;
  }
  if (length > max_message_bytes_ - message_.size()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("WebSocket: message of more than ", max_message_bytes_, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status WebSocketParser::TakePayload(absl::string_view* bytes, Visit visit) {
  const auto taken = static_cast<size_t>(std::min<uint64_t>(remaining_, bytes->size()));
  std::string& payload = IsControl(opcode_) ? control_ : message_;
  payload.append(bytes->data(), taken);
  bytes->remove_prefix(taken);
  remaining_ -= taken;
  return remaining_ == 0 ? EndFrame(visit) : absl::OkStatus();
}

absl::Status WebSocketParser::EndFrame(Visit visit) {
  in_payload_ = false;
  if (IsControl(opcode_)) return visit(opcode_, control_);
  if (!final_) return absl::OkStatus();
  in_message_ = false;
  // Moved out, so that a long message's memory does not stay.
  const std::string message = std::exchange(message_, std::string());
  return visit(message_opcode_, message);
}

absl::Status WebSocketParser::Feed(absl::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    if (!in_payload_) NSCTL_RETURN_IF_ERROR(TakeHeader(&bytes));
    // A frame may be empty.
    if (in_payload_) NSCTL_RETURN_IF_ERROR(TakePayload(&bytes, visit));
  }
  return absl::OkStatus();
}

std::string WebSocketFrame(WebSocketOpcode opcode, absl::string_view payload,
                           std::array<uint8_t, 4> key) {
  std::string frame;
  frame += static_cast<char>(kFinal | static_cast<uint8_t>(opcode));
  const size_t size = payload.size();
  const int length_bytes = size < kTwoBytes ? 0 : size < size_t{1} << 16 ? 2 : 8;
  const auto short_length = length_bytes == 0   ? static_cast<uint8_t>(size)
                            : length_bytes == 2 ? kTwoBytes
                                                : kEightBytes;
  frame += static_cast<char>(kMasked | short_length);
  for (int i = length_bytes - 1; i >= 0; --i) {
    frame += static_cast<char>(static_cast<uint64_t>(size) >> 8 * i & 0xff);
  }
  for (const uint8_t byte : key) frame += static_cast<char>(byte);
  for (size_t i = 0; i < size; ++i) {
    frame += static_cast<char>(ByteAt(payload, i) ^ key[i % key.size()]);
  }
  return frame;
}

std::string WebSocketAccept(absl::string_view key) {
  return absl::Base64Escape(Sha1(absl::StrCat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}

}  // namespace nsctl::engines
