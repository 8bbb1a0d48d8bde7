#include "engines/fake_grpc_server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/errors.h"
#include "base/fd.h"
#include "engines/http_client.h"
#include "grpc/grpc.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

namespace nsctl::engines {
namespace {

// From its first use on the library keeps descriptors, which no test has to answer for.
const bool kLibraryWasUsed = [] {
  grpc_init();
  grpc_shutdown_blocking();
  return true;
}();

// An operation under way: the tag of the queue.
class Operation {
 public:
  void Done(bool ok) ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    ok_ = ok;
    done_ = true;
  }
  // Whether it went well; it can be used again then.
  bool Await() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    done_ = false;
    return ok_;
  }
  void AwaitDone() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
  }
  bool done() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    return done_;
  }

 private:
  mutable absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  bool ok_ ABSL_GUARDED_BY(mutex_) = false;
};

class RealCall : public FakeGrpcCall {
 public:
  RealCall() : stream_(&context_) { context_.AsyncNotifyWhenDone(&ended_); }

  // Waits for a client that calls; false once the server ends.
  bool AwaitCaller(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue) {
    service->RequestCall(&context_, &stream_, queue, queue, &operation_);
    return operation_.Await();
  }

  void Serve(const FakeGrpcServer::Handler& handler) {
    grpc::ByteBuffer buffer;
    stream_.Read(&buffer, &operation_);
    absl::Status status = absl::CancelledError();
    if (operation_.Await()) {
      std::vector<grpc::Slice> slices;
      (void)buffer.Dump(&slices);
      for (const grpc::Slice& slice : slices) {
        message_.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
      status = handler(*this);
    }
    stream_.Finish(
        grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message())),
        &operation_);
    operation_.Await();
    ended_.AwaitDone();
  }

  const std::string& method() const override { return context_.method(); }
  const std::string& message() const override { return message_; }
  std::string Metadata(const std::string& key) const override {
    const auto found = context_.client_metadata().find(key);
    if (found == context_.client_metadata().end()) return "";
    return std::string(found->second.data(), found->second.size());
  }
  bool Send(const std::string& message) override {
    const grpc::Slice slice(message);
    stream_.Write(grpc::ByteBuffer(&slice, 1), &operation_);
    return operation_.Await();
  }
  bool closed() const override { return ended_.done(); }
  void AwaitEnd() override { ended_.AwaitDone(); }

 private:
  // Outlives the context, which tells it.
  Operation ended_;
  Operation operation_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  std::string message_;
};

}  // namespace

class FakeGrpcServer::Impl {
 public:
  explicit Impl(Handler handler) : handler_(std::move(handler)) {
    grpc::ServerBuilder builder;
    builder.RegisterAsyncGenericService(&service_);
    builder.SetMaxSendMessageSize(-1);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    dispatcher_ = std::thread([this] { Dispatch(); });
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Impl() {
    server_->Shutdown(std::chrono::system_clock::now());
    acceptor_.join();
    for (std::thread& thread : serving_) thread.join();
    queue_->Shutdown();
    dispatcher_.join();
  }

  absl::StatusOr<base::OwnedFd> Connect() ABSL_LOCKS_EXCLUDED(mutex_) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "socketpair");
    }
    base::OwnedFd client(sockets[0]);
    base::OwnedFd server(sockets[1]);
    const int flags = fcntl(server.get(), F_GETFL);
    const int copy = fcntl(server.get(), F_DUPFD_CLOEXEC, 0);
    if (flags < 0 || copy < 0 || fcntl(server.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
      const int error = errno;
      return base::ErrnoStatus(error, "fcntl");
    }
    grpc::AddInsecureChannelFromFd(server_.get(), server.Release());
    const absl::MutexLock lock(&mutex_);
    connections_.emplace_back(copy);
    return client;
  }
  void EndConnections() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    for (const base::OwnedFd& connection : connections_) shutdown(connection.get(), SHUT_RDWR);
    connections_.clear();
  }

 private:
  void Dispatch() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) static_cast<Operation*>(tag)->Done(ok);
  }
  // The only one that adds threads.
  void Accept() {
    while (true) {
      auto call = std::make_shared<RealCall>();
      if (!call->AwaitCaller(&service_, queue_.get())) return;
      serving_.emplace_back([this, call = std::move(call)] { call->Serve(handler_); });
    }
  }

  const Handler handler_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  absl::Mutex mutex_;
  std::vector<base::OwnedFd> connections_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> serving_;
  std::thread dispatcher_;
  std::thread acceptor_;
};

FakeGrpcServer::FakeGrpcServer(Handler handler)
    : impl_(std::make_unique<Impl>(std::move(handler))) {}

FakeGrpcServer::~FakeGrpcServer() = default;

Connector FakeGrpcServer::connector() {
  return [this]() -> absl::StatusOr<base::OwnedFd> {
    ++connections_;
    if (refuse_) return base::ErrnoStatus(ECONNREFUSED, "connect");
    return impl_->Connect();
  };
}

void FakeGrpcServer::EndConnections() { impl_->EndConnections(); }

}  // namespace nsctl::engines
