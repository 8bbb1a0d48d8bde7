// Varlink: JSON messages that end with a NUL each, over a unix socket.
//
// A call has one reply, or several where it says so, each but the last with "continues".
// Source: https://varlink.org, systemd's sd-varlink.

#ifndef NSCTL_ENGINES_MACHINED_VARLINK_H_
#define NSCTL_ENGINES_MACHINED_VARLINK_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engines/http_client.h"
#include "engines/json_text.h"

namespace nsctl::engines::machined {

// Cuts bytes that arrive in pieces into messages.
class VarlinkFramer {
 public:
  explicit VarlinkFramer(size_t max_message = 1 << 20) : max_message_(max_message) {}

  // Calls `visit` for each message that is complete, in order, without its NUL. Errors:
  // RESOURCE_EXHAUSTED where a message is longer than allowed; those of `visit`. Nothing is fed
  // after an error.
  absl::Status Feed(absl::string_view bytes,
                    absl::FunctionRef<absl::Status(absl::string_view)> visit);

 private:
  size_t max_message_;
  std::string begun_;
};

struct VarlinkReply {
  // Null where there are none.
  Json parameters;
  // More replies follow.
  bool continues = false;
};
// Errors: what the reply says: UNIMPLEMENTED where there is no such method, NOT_FOUND where there
// is no such machine, PERMISSION_DENIED, and UNKNOWN for others, with the error's name, cut; those
// of ParseJson.
absl::StatusOr<VarlinkReply> ParseVarlinkReply(absl::string_view message);

struct VarlinkRequest {
  std::string method;
  // An object.
  Json parameters = Json::object();
  // All replies are wanted.
  bool more = false;
};
std::string MessageOf(const VarlinkRequest& request);

// Sends `request` on a new connection and gives the parameters of each reply to `visit`, whose
// error ends the call. Errors: DEADLINE_EXCEEDED, CANCELLED; RESOURCE_EXHAUSTED past
// `limits.max_bytes` of replies; DATA_LOSS where the connection ends before they do; those of
// ParseVarlinkReply, `connect`, send(2) and recv(2).
absl::Status VarlinkCall(const Connector& connect, const VarlinkRequest& request,
                         const CallLimits& limits,
                         absl::FunctionRef<absl::Status(const Json&)> visit);

}  // namespace nsctl::engines::machined

#endif  // NSCTL_ENGINES_MACHINED_VARLINK_H_
