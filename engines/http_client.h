// One HTTP/1.1 request over a unix socket that is already connected, and its response as it
// arrives.
//
// Sockets in other mount namespaces are connected by descriptor (procfsroot::Root::ConnectUnix), so
// there is no address here. One connection carries one request. Everything that waits has a
// deadline and can be stopped; everything that is kept has a limit.
//
//   NSCTL_ASSIGN_OR_RETURN(HttpExchange exchange,
//                          HttpExchange::Start(std::move(socket), {.target = "/_ping"}, limits));
//   std::string body;
//   while (*exchange.Read(limits, &body)) {}

#ifndef NSCTL_ENGINES_HTTP_CLIENT_H_
#define NSCTL_ENGINES_HTTP_CLIENT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/http_response.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {

// What one call may take.
struct CallLimits {
  absl::Time deadline = absl::InfinitePast();
  // May be null.
  const StopSignal* stop = nullptr;
  // Of the body.
  size_t max_bytes = 256 << 20;
};

// Connects to one engine's socket; called for every request, by several threads at once.
using Connector = std::function<absl::StatusOr<base::OwnedFd>()>;

struct HttpRequest {
  std::string method = "GET";
  // Path and query, already escaped.
  std::string target;
  // The protocol to go on with, and the fields that it wants; empty: HTTP alone.
  std::string upgrade = "";
  std::vector<std::pair<std::string, std::string>> fields = {};
};

class HttpExchange {
 public:
  // Sends `request` on `socket` and waits for the response's head.
  //
  // Errors: DEADLINE_EXCEEDED, CANCELLED (AwaitReady); those of HttpResponseParser; those of
  // send(2) and recv(2); INVALID_ARGUMENT where the request holds what would end a line.
  static absl::StatusOr<HttpExchange> Start(base::OwnedFd socket, const HttpRequest& request,
                                            const CallLimits& limits);

  // The two halves of Start, for servers that send no head before they have something to say.
  static absl::StatusOr<HttpExchange> Begin(base::OwnedFd socket, const HttpRequest& request,
                                            const CallLimits& limits);
  // After DEADLINE_EXCEEDED it may be called again.
  absl::Status AwaitHead(const CallLimits& limits);

  const HttpHead& head() const { return parser_->head(); }

  // Waits for more of the body and appends it to `body`; false at its end. Errors as for Start;
  // DATA_LOSS where the connection ended before the body did; RESOURCE_EXHAUSTED past
  // `limits.max_bytes` of the whole body. After a status of 101 the body is what the other protocol
  // sends, without an end of its own: OK and false where the connection ends.
  absl::StatusOr<bool> Read(const CallLimits& limits, std::string* body);

  // Sends `bytes` as they are, after a status of 101. Errors as for Start.
  absl::Status Send(absl::string_view bytes, const CallLimits& limits);

 private:
  explicit HttpExchange(base::OwnedFd socket, bool head_only)
      : socket_(std::move(socket)), parser_(std::make_unique<HttpResponseParser>(head_only)) {}

  absl::Status Receive(const CallLimits& limits);

  base::OwnedFd socket_;
  std::unique_ptr<HttpResponseParser> parser_;
  // Of the body, not given to Read yet.
  std::string pending_;
  size_t received_ = 0;
};

// Sends `request` on a new connection and gives the body to `sink` in pieces. A status of 400 and
// above is an error with the message that the engine sent ({"message": ...} or {"error": ...}), at
// most 200 bytes of it: NOT_FOUND for 404, PERMISSION_DENIED for 401 and 403, INVALID_ARGUMENT for
// 400, UNIMPLEMENTED for 405 and 501, FAILED_PRECONDITION for 409, UNAVAILABLE for 5xx; UNKNOWN for
// the rest. Errors of HttpExchange, of `connect` and `sink` too.
absl::Status HttpCall(const Connector& connect, const HttpRequest& request,
                      const CallLimits& limits,
                      absl::FunctionRef<absl::Status(absl::string_view)> sink,
                      HttpHead* head = nullptr);

// What follows HttpExchange::Start where its status is 400 or more: reads the engine's message.
absl::Status HttpFailure(HttpExchange& exchange, const CallLimits& limits);

// `text` with all but letters, digits and "-._~/" as %HH, for paths and values of queries.
std::string PercentEncode(absl::string_view text);

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_HTTP_CLIENT_H_
