// Calls of gRPC methods over one connection, with messages as bytes.
//
// The connection is a socket that the caller connects, as for HTTP (http_client.h): there is no
// address, no name service and no proxy. It is made when it is needed and never repaired: after it
// broke the next call makes another one. Everything that waits has a deadline or can be stopped,
// and everything that is kept has a limit.
//
// gRPC's library is started by the first call, with threads of its own, and ends with the client.
// It writes complaints about peers to stderr unless the program says otherwise
// (gpr_set_log_function).

#ifndef NSCTL_ENGINES_GRPC_CLIENT_H_
#define NSCTL_ENGINES_GRPC_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engines/http_client.h"

namespace nsctl::engines {

struct GrpcRequest {
  // "/containerd.services.version.v1.Version/Version"
  std::string method;
  // The serialized request.
  std::string message = "";
  std::vector<std::pair<std::string, std::string>> metadata = {};
};

// May be used by several threads at once.
class GrpcClient {
 public:
  // Of one message; engines send up to 16 MiB.
  static constexpr size_t kMaxMessage = 32 << 20;

  explicit GrpcClient(Connector connect) : connect_(std::move(connect)) {}
  GrpcClient(const GrpcClient&) = delete;
  GrpcClient& operator=(const GrpcClient&) = delete;
  ~GrpcClient();

  // The next call makes a new connection. Calls under way keep theirs.
  void Reconnect() ABSL_LOCKS_EXCLUDED(mutex_);

  // The answer to `request`. Errors: the server's, with the method's name before its message;
  // DEADLINE_EXCEEDED; CANCELLED once `limits.stop` is requested; UNAVAILABLE where the connection
  // broke; RESOURCE_EXHAUSTED past a limit; INVALID_ARGUMENT where the request's metadata is none;
  // those of connecting.
  absl::StatusOr<std::string> Call(const GrpcRequest& request, const CallLimits& limits)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `sent` once the request is on its way, and `sink` for each message of the answer, until
  // the server ends it (OK). An error of either ends the call. `limits.max_bytes` is for all
  // messages together; a deadline of InfiniteFuture is none. Errors as for Call.
  absl::Status Stream(const GrpcRequest& request, const CallLimits& limits,
                      absl::FunctionRef<absl::Status()> sent,
                      absl::FunctionRef<absl::Status(absl::string_view)> sink)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Connection;
  class Exchange;

  // The connection for `request`.
  absl::StatusOr<std::shared_ptr<Connection>> Connect(const GrpcRequest& request)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // What is returned for `status`, an answer that came over `connection`.
  absl::Status Conclude(const GrpcRequest& request, const absl::Status& status,
                        const std::shared_ptr<Connection>& connection) ABSL_LOCKS_EXCLUDED(mutex_);

  const Connector connect_;
  absl::Mutex mutex_;
  // Null where the next call has to make it.
  std::shared_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_GRPC_CLIENT_H_
