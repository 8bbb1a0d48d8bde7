// WebSocket's frames as a client sees them (RFC 6455, 5): those of a server come in as bytes in
// pieces, and go out as messages; those of the client are made here.
//
// No extension is negotiated, so none is taken. What the RFC forbids ends the connection: the peer
// may be a stranger. That texts are UTF-8 is left to who reads them.

#ifndef NSCTL_ENGINES_WEB_SOCKET_FRAMES_H_
#define NSCTL_ENGINES_WEB_SOCKET_FRAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nsctl::engines {

enum class WebSocketOpcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

// What control frames hold at most.
inline constexpr size_t kMaxWebSocketControl = 125;

class WebSocketParser {
 public:
  // Gets whole messages and control frames, which may come in the middle of a message. The text is
  // valid during the call.
  using Visit = absl::FunctionRef<absl::Status(WebSocketOpcode, absl::string_view)>;

  explicit WebSocketParser(size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Takes all of `bytes`. Errors: INVALID_ARGUMENT, naming what the RFC forbids; RESOURCE_EXHAUSTED
  // for a message that is too long, before it is there; those of `visit`. Nothing is fed after an
  // error.
  absl::Status Feed(absl::string_view bytes, Visit visit);

  // Neither a frame nor a message has begun.
  bool at_boundary() const { return header_.empty() && !in_payload_ && !in_message_; }

 private:
  absl::Status TakeHeader(absl::string_view* bytes);
  absl::Status BeginFrame(uint64_t length);
  absl::Status TakePayload(absl::string_view* bytes, Visit visit);
  absl::Status EndFrame(Visit visit);

  size_t max_message_bytes_;
  // Of the frame that has begun, as far as it came.
  std::string header_;
  bool in_payload_ = false;
  bool final_ = false;
  WebSocketOpcode opcode_ = WebSocketOpcode::kContinuation;
  uint64_t remaining_ = 0;
  std::string control_;
  // The message that has begun, of the frames so far.
  bool in_message_ = false;
  WebSocketOpcode message_opcode_ = WebSocketOpcode::kText;
  std::string message_;
};

// A whole message or control frame, masked by `key` as a client's must be.
std::string WebSocketFrame(WebSocketOpcode opcode, absl::string_view payload,
                           std::array<uint8_t, 4> key);

// What a server answers to the key that a client sent.
std::string WebSocketAccept(absl::string_view key);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_WEB_SOCKET_FRAMES_H_
