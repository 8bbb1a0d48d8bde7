#include "engines/fake_web_socket.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engines/fake_http_server.h"
#include "engines/web_socket_frames.h"

namespace nsctl::engines {

bool AcceptWebSocket(FakeConnection& connection) {
  const std::string key = connection.Field("sec-websocket-key");
  std::string bytes;
  if (connection.method() != "GET" ||
      !absl::EqualsIgnoreCase(connection.Field("upgrade"), "websocket") ||
      !absl::EqualsIgnoreCase(connection.Field("connection"), "upgrade") ||
      connection.Field("sec-websocket-version") != "13" || !absl::Base64Unescape(key, &bytes) ||
      bytes.size() != 16) {
    connection.SendResponse(400, R"({"type":"error","error_code":400,"error":"Bad Request"})");
    return false;
  }
  return connection.Send(absl::StrCat(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ",
      WebSocketAccept(key), "\r\n\r\n"));
}

std::string ServerFrame(WebSocketOpcode opcode, absl::string_view payload, bool is_final) {
  std::string frame;
  frame += static_cast<char>((is_final ? 0x80 : 0) | static_cast<int>(opcode));
  const size_t size = payload.size();
  const int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  frame += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int i = length_bytes - 1; i >= 0; --i) frame += static_cast<char>(size >> 8 * i & 0xff);
  return absl::StrCat(frame, payload);
}

std::optional<ClientFrames> TakeClientFrames(std::string* bytes) {
  ClientFrames frames;
  // Clients of ours send nothing long: two bytes, four of the mask.
  constexpr size_t kHeader = 6;
  while (bytes->size() >= kHeader) {
    const auto first = static_cast<uint8_t>((*bytes)[0]);
    const auto second = static_cast<uint8_t>((*bytes)[1]);
    const size_t size = second & 0x7f;
    if ((first & 0xf0) != 0x80 || (second & 0x80) == 0 || size > kMaxWebSocketControl) {
      return std::nullopt;
    }
    if (bytes->size() < kHeader + size) break;
    std::string payload = bytes->substr(kHeader, size);
    for (size_t i = 0; i < size; ++i) {
      payload[i] = static_cast<char>(payload[i] ^ (*bytes)[2 + i % 4]);
    }
    frames.emplace_back(static_cast<WebSocketOpcode>(first & 0x0f), payload);
    bytes->erase(0, kHeader + size);
  }
  return frames;
}

}  // namespace nsctl::engines
