// A server that a test scripts: it reads each request and sends whatever bytes its handler likes,
// right or wrong, at once or later. Real sockets, so that the client is the real one.

#ifndef NSCTL_ENGINES_FAKE_HTTP_SERVER_H_
#define NSCTL_ENGINES_FAKE_HTTP_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/fd.h"
#include "engines/http_client.h"

namespace nsctl::engines {

// The server's end of one connection, used by its handler's thread.
class FakeConnection {
 public:
  explicit FakeConnection(base::OwnedFd socket) : socket_(std::move(socket)) {}

  // "GET", "/v1.41/info". Empty where the client went before it sent a whole head.
  const std::string& method() const { return method_; }
  const std::string& target() const { return target_; }
  // The value of the request's first field of that name, in any case; empty where there is none.
  std::string Field(absl::string_view name) const;

  // Each is false once the client is gone.
  bool Send(absl::string_view bytes);
  bool SendResponse(int status, absl::string_view body);
  bool StartChunks(int status = 200);
  bool SendChunk(absl::string_view data);
  bool EndChunks() { return Send("0\r\n\r\n"); }

  // Appends what the client sent behind its request, without waiting. False once it is gone.
  bool Receive(std::string* bytes);
  // The client or the server ended it.
  bool closed() const;
  // Returns when that happens.
  void AwaitEnd();

  bool ReadRequest();
  void Shutdown();

 private:
  base::OwnedFd socket_;
  std::string method_;
  std::string target_;
  std::vector<std::string> fields_;
};

class FakeHttpServer {
 public:
  // Runs in a thread for each connection; when it returns the connection is closed.
  using Handler = std::function<void(FakeConnection&)>;

  explicit FakeHttpServer(Handler handler) : handler_(std::move(handler)) {}
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;
  // Ends all connections and waits for their handlers.
  ~FakeHttpServer();

  // Each call makes a connection, as long as the server exists.
  Connector connector() {
    return [this] { return Connect(); };
  }

  // Serves `socket`, a connection that the caller accepted.
  void Serve(base::OwnedFd socket) ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on nobody can connect (ECONNREFUSED), or everybody again.
  void Refuse(bool refuse) { refuse_ = refuse; }
  // Ends all connections that there are.
  void EndConnections() ABSL_LOCKS_EXCLUDED(mutex_);

  int connections() const { return connections_; }
  // The most that there were at one time.
  int most_at_once() const { return most_at_once_; }

 private:
  struct Serving {
    std::shared_ptr<FakeConnection> connection;
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> done = std::make_shared<std::atomic<bool>>(false);
  };

  absl::StatusOr<base::OwnedFd> Connect() ABSL_LOCKS_EXCLUDED(mutex_);

  const Handler handler_;
  std::atomic<bool> refuse_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> now_ = 0;
  std::atomic<int> most_at_once_ = 0;
  absl::Mutex mutex_;
  std::vector<Serving> serving_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nsctl::engines

#endif  // NSCTL_ENGINES_FAKE_HTTP_SERVER_H_
