// A server's end of a WebSocket, for fakes: frames as a server sends them, right or wrong, and what
// the client sent.

#ifndef NSCTL_ENGINES_FAKE_WEB_SOCKET_H_
#define NSCTL_ENGINES_FAKE_WEB_SOCKET_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engines/fake_http_server.h"
#include "engines/web_socket_frames.h"

namespace nsctl::engines {

// Answers the request for a WebSocket as servers do. False where the client is gone, or asked for
// something else: that gets status 400.
bool AcceptWebSocket(FakeConnection& connection);

// Not masked; `is_final`: the message's last.
std::string ServerFrame(WebSocketOpcode opcode, absl::string_view payload, bool is_final = true);

// Takes the frames that are complete off the beginning of `bytes`. nullopt for one that no client
// may send.
using ClientFrames = std::vector<std::pair<WebSocketOpcode, std::string>>;
std::optional<ClientFrames> TakeClientFrames(std::string* bytes);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_WEB_SOCKET_H_
