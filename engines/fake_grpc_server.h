// A gRPC server that a test scripts: it answers each call with whatever bytes its handler likes,
// right or wrong, at once or later. Real sockets and the real protocol, so that the client is the
// real one.

#ifndef NSCTL_ENGINES_FAKE_GRPC_SERVER_H_
#define NSCTL_ENGINES_FAKE_GRPC_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "engines/http_client.h"

namespace nsctl::engines {

// The server's side of one call, used by its handler's thread.
class FakeGrpcCall {
 public:
  virtual ~FakeGrpcCall() = default;

  // "/containerd.services.version.v1.Version/Version"
  virtual const std::string& method() const = 0;
  virtual const std::string& message() const = 0;
  // "" where it is not there.
  virtual std::string Metadata(const std::string& key) const = 0;

  // False once the client is gone.
  virtual bool Send(const std::string& message) = 0;
  // The client or the server ended the call.
  virtual bool closed() const = 0;
  // Returns when that happens.
  virtual void AwaitEnd() = 0;
};

class FakeGrpcServer {
 public:
  // Runs in a thread for each call; what it returns is the call's status.
  using Handler = std::function<absl::Status(FakeGrpcCall&)>;

  explicit FakeGrpcServer(Handler handler);
  FakeGrpcServer(const FakeGrpcServer&) = delete;
  FakeGrpcServer& operator=(const FakeGrpcServer&) = delete;
  // Ends all calls and waits for their handlers.
  ~FakeGrpcServer();

  // Each call makes a connection, as long as the server exists.
  Connector connector();

  // From now on nobody can connect (ECONNREFUSED), or everybody again.
  void Refuse(bool refuse) { refuse_ = refuse; }
  // Ends all connections that there are.
  void EndConnections();

  int connections() const { return connections_; }

 private:
  class Impl;

  std::atomic<bool> refuse_ = false;
  std::atomic<int> connections_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_GRPC_SERVER_H_
