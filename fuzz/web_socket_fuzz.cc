#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engines/web_socket_frames.h"

namespace {

using nsctl::engines::WebSocketFrame;
using nsctl::engines::WebSocketOpcode;
using nsctl::engines::WebSocketParser;

constexpr size_t kMaxMessage = 1024;

struct Heard {
  absl::Status status;
  std::vector<std::pair<WebSocketOpcode, std::string>> messages;
  bool at_boundary = false;
};

Heard Hear(absl::string_view bytes, size_t step) {
  Heard heard;
  WebSocketParser parser(kMaxMessage);
  while (heard.status.ok() && !bytes.empty()) {
    heard.status =
        parser.Feed(bytes.substr(0, step), [&](WebSocketOpcode opcode, absl::string_view payload) {
          heard.messages.emplace_back(opcode, payload);
          return absl::OkStatus();
        });
    bytes.remove_prefix(step < bytes.size() ? step : bytes.size());
  }
  heard.at_boundary = parser.at_boundary();
  return heard;
}

// A client's frame as a server would send it.
std::string WithoutMask(std::string frame) {
  const size_t mask = (frame[1] & 0x7f) == 126 ? 4 : 2;
  frame[1] = static_cast<char>(frame[1] & 0x7f);
  return frame.erase(mask, 4);
}

}  // namespace

// How bytes are cut makes no difference; messages keep their limits; what is made of a message
// again is that message.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Heard whole = Hear(bytes, size + 1);
  const Heard pieces = Hear(bytes, 1);
  if (whole.status != pieces.status || whole.messages != pieces.messages) std::abort();
  if (whole.status.ok() && whole.at_boundary != pieces.at_boundary) std::abort();
  for (const auto& [opcode, payload] : whole.messages) {
    if (payload.size() > kMaxMessage || opcode == WebSocketOpcode::kContinuation) std::abort();
    const Heard again = Hear(WithoutMask(WebSocketFrame(opcode, payload, {0, 0, 0, 0})), size);
    if (again.messages.size() != 1 || again.messages[0].second != payload) std::abort();
  }
  return 0;
}
