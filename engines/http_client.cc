#include "engines/http_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "engines/http_response.h"
#include "engines/json_text.h"
#include "engines/stop_signal.h"

namespace nsctl::engines {
namespace {

// Of an error's body.
constexpr size_t kMaxFailureBody = 16 << 10;
constexpr size_t kMaxFailureMessage = 200;

bool IsOneWord(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

// Nothing that would end a line.
bool IsFieldText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isprint);
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 405:
    case 501:
      return absl::StatusCode::kUnimplemented;
    case 409:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return status >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::StatusOr<HttpExchange> HttpExchange::Start(base::OwnedFd socket, const HttpRequest& request,
                                                 const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(HttpExchange exchange, Begin(std::move(socket), request, limits));
  NSCTL_RETURN_IF_ERROR(exchange.AwaitHead(limits));
  return exchange;
}

absl::StatusOr<HttpExchange> HttpExchange::Begin(base::OwnedFd socket, const HttpRequest& request,
                                                 const CallLimits& limits) {
  if (!IsOneWord(request.method) || !IsOneWord(request.target) || !IsFieldText(request.upgrade)) {
    return absl::InvalidArgumentError("HTTP request: method or target is not one word");
  }
  std::string head = absl::StrCat(request.method, " ", request.target,
                                  " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: nsctl\r\n"
                                  "Accept: application/json\r\n");
  if (request.upgrade.empty()) {
    absl::StrAppend(&head, "Connection: close\r\n");
  } else {
    absl::StrAppend(&head, "Connection: Upgrade\r\nUpgrade: ", request.upgrade, "\r\n");
  }
  for (const auto& [name, value] : request.fields) {
    if (!IsOneWord(name) || !IsFieldText(value)) {
      return absl::InvalidArgumentError("HTTP request: a field is more than one line");
    }
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  }
  HttpExchange exchange(std::move(socket), request.method == "HEAD");
  NSCTL_RETURN_IF_ERROR(exchange.Send(absl::StrCat(head, "\r\n"), limits));
  return exchange;
}

absl::Status HttpExchange::AwaitHead(const CallLimits& limits) {
  while (!parser_->has_head()) NSCTL_RETURN_IF_ERROR(Receive(limits));
  return absl::OkStatus();
}

absl::Status HttpExchange::Send(absl::string_view bytes, const CallLimits& limits) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const int error = errno;
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (error == EAGAIN) {
      NSCTL_RETURN_IF_ERROR(AwaitReady(socket_, POLLOUT, limits.deadline, limits.stop));
    } else if (error != EINTR) {
      return base::ErrnoStatus(error, "send", socket_.path());
    }
  }
  return absl::OkStatus();
}

absl::Status HttpExchange::Receive(const CallLimits& limits) {
  // One that sends all the time is late as well.
  if (absl::Now() >= limits.deadline) return absl::DeadlineExceededError("no answer in time");
  NSCTL_RETURN_IF_ERROR(AwaitReady(socket_, POLLIN, limits.deadline, limits.stop));
  std::array<char, 64 << 10> buffer;
  const ssize_t received = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  const int error = errno;
  if (received < 0) {
    if (error == EAGAIN || error == EINTR) return absl::OkStatus();
    return base::ErrnoStatus(error, "recv", socket_.path());
  }
  if (received == 0) return parser_->Finish();
  const size_t before = pending_.size();
  NSCTL_RETURN_IF_ERROR(parser_->Feed({buffer.data(), static_cast<size_t>(received)}, &pending_));
  received_ += pending_.size() - before;
  if (received_ > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("HTTP response: body of more than ", limits.max_bytes, " bytes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> HttpExchange::Read(const CallLimits& limits, std::string* body) {
  while (pending_.empty() && !parser_->done()) {
    NSCTL_RETURN_IF_ERROR(Receive(limits));
  }
  if (pending_.empty()) return false;
  body->append(pending_);
  pending_.clear();
  return true;
}

absl::Status HttpFailure(HttpExchange& exchange, const CallLimits& limits) {
  CallLimits less = limits;
  less.max_bytes = kMaxFailureBody;
  std::string body;
  while (true) {
    // What could not be read of the message does not matter.
    const absl::StatusOr<bool> more = exchange.Read(less, &body);
    if (!more.ok() || !*more) break;
  }
  const absl::StatusOr<Json> json = ParseJson(body);
  std::string message = json.ok() ? TextMember(*json, "message") : "";
  if (message.empty() && json.ok()) message = TextMember(*json, "error");
  if (message.empty()) message = base::EncodeText(absl::StripAsciiWhitespace(body));
  const int status = exchange.head().status;
  return absl::Status(
      CodeOf(status),
      absl::StrCat("HTTP status ", status, message.empty() ? "" : ": ",
                   base::TruncateToWidth(base::TerminalText(message), kMaxFailureMessage, "...")));
}

absl::Status HttpCall(const Connector& connect, const HttpRequest& request,
                      const CallLimits& limits,
                      absl::FunctionRef<absl::Status(absl::string_view)> sink, HttpHead* head) {
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd socket, connect());
  NSCTL_ASSIGN_OR_RETURN(HttpExchange exchange,
                         HttpExchange::Start(std::move(socket), request, limits));
  if (exchange.head().status >= 400) return HttpFailure(exchange, limits);
  if (head != nullptr) *head = exchange.head();
  std::string body;
  while (true) {
    body.clear();
    NSCTL_ASSIGN_OR_RETURN(const bool more, exchange.Read(limits, &body));
    if (!more) return absl::OkStatus();
    NSCTL_RETURN_IF_ERROR(sink(body));
  }
}

std::string PercentEncode(absl::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char byte : text) {
    if (absl::ascii_isalnum(byte) ||
        absl::string_view("-._~/").find(static_cast<char>(byte)) != absl::string_view::npos) {
      encoded += static_cast<char>(byte);
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace nsctl::engines
