// A client's end of a WebSocket (RFC 6455) on a unix socket that is already connected, for streams
// of events: messages come in, and of what goes out there is only what the protocol itself wants.
//
//   NSCTL_ASSIGN_OR_RETURN(WebSocket socket,
//                          WebSocket::Open(std::move(connection), "/1.0/events", limits));
//   NSCTL_RETURN_IF_ERROR(socket.ReadAll(limits, [](absl::string_view message) { ... }, [] {}));

#ifndef NSCTL_ENGINES_WEB_SOCKET_H_
#define NSCTL_ENGINES_WEB_SOCKET_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/http_client.h"

namespace nsctl::engines {

struct WebSocketOptions {
  size_t max_message_bytes = 8 << 20;
  // Within which the server says something, be it a ping; infinite: it may have nothing to say.
  absl::Duration first_sign = absl::InfiniteDuration();
  // A server that sent a ping is expected to send something at least so often from then on. One
  // that never does may be silent for ever.
  absl::Duration max_silence = absl::Minutes(2);
  // What an answer to a ping, or to the end, may take.
  absl::Duration answer_timeout = absl::Seconds(5);
};

class WebSocket {
 public:
  // Asks for it at `target`, path and query, already escaped.
  //
  // Errors: those of HttpExchange::Start; those of HttpCall for a status that refuses;
  // UNIMPLEMENTED where the answer is not what a WebSocket's server answers.
  static absl::StatusOr<WebSocket> Open(base::OwnedFd connection, const std::string& target,
                                        const CallLimits& limits, WebSocketOptions options = {});

  // Calls `visit` for each message, and `pinged` for each ping between them, until the server ends
  // the stream (OK), it breaks or is stopped; `limits.deadline` does not matter. Errors: CANCELLED;
  // INVALID_ARGUMENT and RESOURCE_EXHAUSTED of WebSocketParser; DATA_LOSS where the connection
  // ended without saying so; DEADLINE_EXCEEDED past an option above.
  absl::Status ReadAll(const CallLimits& limits, absl::FunctionRef<void(absl::string_view)> visit,
                       absl::FunctionRef<void()> pinged);

 private:
  WebSocket(HttpExchange exchange, WebSocketOptions options)
      : exchange_(std::move(exchange)), options_(options) {}

  HttpExchange exchange_;
  WebSocketOptions options_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_WEB_SOCKET_H_
