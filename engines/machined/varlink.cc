#include "engines/machined/varlink.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "engines/http_client.h"
#include "engines/json_text.h"
#include "engines/stop_signal.h"

namespace nsctl::engines::machined {
namespace {

constexpr size_t kMaxErrorName = 100;

absl::StatusCode CodeOf(absl::string_view error) {
  struct Row {
    const char* error;
    absl::StatusCode code;
  };
  static constexpr Row kRows[] = {
      {"org.varlink.service.InterfaceNotFound", absl::StatusCode::kUnimplemented},
      {"org.varlink.service.MethodNotFound", absl::StatusCode::kUnimplemented},
      {"org.varlink.service.MethodNotImplemented", absl::StatusCode::kUnimplemented},
      {"org.varlink.service.PermissionDenied", absl::StatusCode::kPermissionDenied},
      {"io.systemd.Machine.NoSuchMachine", absl::StatusCode::kNotFound},
  };
  for (const Row& row : kRows) {
    if (error == row.error) return row.code;
  }
  return absl::StatusCode::kUnknown;
}

absl::Status Send(base::FdRef socket, absl::string_view bytes, const CallLimits& limits) {
  while (!bytes.empty()) {
    NSCTL_RETURN_IF_ERROR(AwaitReady(socket, POLLOUT, limits.deadline, limits.stop));
    const ssize_t sent =
        send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    const int error = errno;
    if (sent < 0 && error != EAGAIN && error != EINTR) {
      return base::ErrnoStatus(error, "send", socket.path());
    }
    bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VarlinkFramer::Feed(absl::string_view bytes,
                                 absl::FunctionRef<absl::Status(absl::string_view)> visit) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    if (begun_.size() + end > max_message_) {
      return absl::ResourceExhaustedError("a message is too long");
    }
    begun_.append(bytes.data(), end);
    if (end == bytes.size()) return absl::OkStatus();
    NSCTL_RETURN_IF_ERROR(visit(begun_));
    begun_.clear();
    bytes.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<VarlinkReply> ParseVarlinkReply(absl::string_view message) {
  NSCTL_ASSIGN_OR_RETURN(const Json json, ParseJson(message));
  const std::string error = TextMember(json, "error");
  if (!error.empty()) return absl::Status(CodeOf(error), error.substr(0, kMaxErrorName));
  return VarlinkReply{.parameters = Member(json, "parameters"),
                      .continues = BoolMember(json, "continues").value_or(false)};
}

std::string MessageOf(const VarlinkRequest& request) {
  Json json = Json::object();
  json["method"] = request.method;
  json["parameters"] = request.parameters;
  if (request.more) json["more"] = true;
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + '\0';
}

absl::Status VarlinkCall(const Connector& connect, const VarlinkRequest& request,
                         const CallLimits& limits,
                         absl::FunctionRef<absl::Status(const Json&)> visit) {
  NSCTL_ASSIGN_OR_RETURN(const base::OwnedFd socket, connect());
  NSCTL_RETURN_IF_ERROR(Send(socket, MessageOf(request), limits));
  VarlinkFramer framer;
  size_t received = 0;
  bool more = true;
  const auto take = [&](absl::string_view message) {
    // What comes behind the last reply belongs to no call.
    if (!more) return absl::OkStatus();
    NSCTL_ASSIGN_OR_RETURN(const VarlinkReply reply, ParseVarlinkReply(message));
    more = request.more && reply.continues;
    return visit(reply.parameters);
  };
  while (more) {
    NSCTL_RETURN_IF_ERROR(AwaitReady(socket, POLLIN, limits.deadline, limits.stop));
    char bytes[16 << 10];
    const ssize_t got = recv(socket.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    const int error = errno;
    if (got < 0 && (error == EAGAIN || error == EINTR)) continue;
    if (got < 0) return base::ErrnoStatus(error, "recv", socket.path());
    if (got == 0) return absl::DataLossError("the connection ended before the last reply");
    received += static_cast<size_t>(got);
    if (received > limits.max_bytes) return absl::ResourceExhaustedError("too much is replied");
    NSCTL_RETURN_IF_ERROR(framer.Feed({bytes, static_cast<size_t>(got)}, take));
  }
  return absl::OkStatus();
}

}  // namespace nsctl::engines::machined
