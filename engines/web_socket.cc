#include "engines/web_socket.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "engines/http_client.h"
#include "engines/web_socket_frames.h"

namespace nsctl::engines {
namespace {

// Bytes that no server can guess, as the RFC wants keys and masks.
template <size_t kSize>
absl::StatusOr<std::array<uint8_t, kSize>> Random() {
  std::array<uint8_t, kSize> bytes = {};
  // As few as these come whole.
  if (getrandom(bytes.data(), bytes.size(), 0) < 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "getrandom");
  }
  return bytes;
}

// RFC 6455, 4.1.
absl::Status CheckAnswer(const HttpHead& head, absl::string_view key) {
  const std::string* const upgrade = head.Find("upgrade");
  const std::string* const accept = head.Find("sec-websocket-accept");
  if (head.status != 101 || upgrade == nullptr || !absl::EqualsIgnoreCase(*upgrade, "websocket") ||
      accept == nullptr || *accept != WebSocketAccept(key) ||
      head.Find("sec-websocket-extensions") != nullptr) {
    return absl::UnimplementedError("answers, and not as a WebSocket");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WebSocket> WebSocket::Open(base::OwnedFd connection, const std::string& target,
                                          const CallLimits& limits, WebSocketOptions options) {
  constexpr size_t kKeySize = 16;
  NSCTL_ASSIGN_OR_RETURN(const auto random, Random<kKeySize>());
  const std::string key = absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  NSCTL_ASSIGN_OR_RETURN(
      HttpExchange exchange,
      HttpExchange::Start(std::move(connection),
                          {.target = target,
                           .upgrade = "websocket",
                           .fields = {{"Sec-WebSocket-Key", key}, {"Sec-WebSocket-Version", "13"}}},
                          limits));
  if (exchange.head().status >= 400) return HttpFailure(exchange, limits);
  NSCTL_RETURN_IF_ERROR(CheckAnswer(exchange.head(), key));
  return WebSocket(std::move(exchange), options);
}

absl::Status WebSocket::ReadAll(const CallLimits& limits,
                                absl::FunctionRef<void(absl::string_view)> visit,
                                absl::FunctionRef<void()> pinged) {
  WebSocketParser parser(options_.max_message_bytes);
  // When the next sign of life is due.
  absl::Time due = absl::Now() + options_.first_sign;
  std::optional<std::string> ping;
  std::optional<std::string> close;
  const auto take = [&](WebSocketOpcode opcode, absl::string_view payload) {
    if (close.has_value()) return absl::OkStatus();
    if (opcode == WebSocketOpcode::kText || opcode == WebSocketOpcode::kBinary) visit(payload);
    if (opcode == WebSocketOpcode::kPing) {
      ping = std::string(payload);
      pinged();
    }
    // The code, without the reason.
    if (opcode == WebSocketOpcode::kClose) close = std::string(payload.substr(0, 2));
    return absl::OkStatus();
  };
  const auto answer = [&](WebSocketOpcode opcode, const std::string& payload) -> absl::Status {
    NSCTL_ASSIGN_OR_RETURN(const auto mask, Random<4>());
    CallLimits soon = limits;
    soon.deadline = absl::Now() + options_.answer_timeout;
    return exchange_.Send(WebSocketFrame(opcode, payload, mask), soon);
  };
  bool pings = false;
  CallLimits wait = limits;
  wait.max_bytes = std::numeric_limits<size_t>::max();
  std::string bytes;
  while (!close.has_value()) {
    wait.deadline = due;
    bytes.clear();
    NSCTL_ASSIGN_OR_RETURN(const bool more, exchange_.Read(wait, &bytes));
    if (!more) return absl::DataLossError("WebSocket: the connection ended");
    NSCTL_RETURN_IF_ERROR(parser.Feed(bytes, take));
    pings = pings || ping.has_value();
    due = pings ? absl::Now() + options_.max_silence : absl::InfiniteFuture();
    // Of several the last is enough (RFC 6455, 5.5.3).
    if (!ping.has_value()) continue;
    NSCTL_RETURN_IF_ERROR(answer(WebSocketOpcode::kPong, *std::exchange(ping, std::nullopt)));
  }
  // Who is gone by now needs no answer.
  (void)answer(WebSocketOpcode::kClose, *close);
  return absl::OkStatus();
}

}  // namespace nsctl::engines
