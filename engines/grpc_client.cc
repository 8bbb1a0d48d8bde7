#include "engines/grpc_client.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "engines/stop_signal.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/channel_arguments.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

namespace nsctl::engines {
namespace {

// How late a call with a deadline notices that it is to stop.
constexpr absl::Duration kStopDelay = absl::Milliseconds(20);
constexpr size_t kMaxMessageText = 200;
constexpr int kWindow = 1 << 20;

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  // Some servers refuse what newer libraries derive from the name of a socket.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetMaxReceiveMessageSize(static_cast<int>(GrpcClient::kMaxMessage));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // Pings that measure bandwidth; servers may end connections for them.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindow);
  // The limit is of what arrives; a small message may unpack to any size.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  return arguments;
}

absl::Status ToAbsl(const grpc::Status& status) {
  const int code = status.error_code();
  // The numbers are the same.
  const bool known = code >= 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      status.error_message().substr(0, kMaxMessageText));
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

bool IsHeaderText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

absl::Status StoppedError() { return absl::CancelledError("stopped"); }

}  // namespace

class GrpcClient::Connection {
 public:
  // Takes `fd`.
  explicit Connection(int fd)
      : stub_(grpc::CreateCustomInsecureChannelFromFd("localhost", fd, ChannelArguments())) {}

  grpc::GenericStub& stub() { return stub_; }

 private:
  grpc::GenericStub stub_;
};

// One call and its queue: one operation at a time.
class GrpcClient::Exchange {
 public:
  Exchange(const GrpcRequest& request, const CallLimits& limits) : limits_(limits) {
    if (limits.deadline != absl::InfiniteFuture()) {
      context_.set_deadline(absl::ToChronoTime(limits.deadline));
    }
    for (const auto& [key, value] : request.metadata) context_.AddMetadata(key, value);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::ClientContext* context() { return &context_; }
  grpc::CompletionQueue* queue() { return &queue_; }
  void* tag() { return this; }

  // Waits for the operation under way; false where it failed. It ends in any case: by its deadline,
  // or as it is cancelled.
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    while (true) {
      const auto slice = absl::ToChronoTime(absl::Now() + kStopDelay);
      switch (queue_.AsyncNext(&tag, &ok, slice)) {
        case grpc::CompletionQueue::GOT_EVENT:
          return ok;
        case grpc::CompletionQueue::SHUTDOWN:
          return false;
        case grpc::CompletionQueue::TIMEOUT:
          if (IsStopped()) context_.TryCancel();
      }
    }
  }

  // As Await, for what may take for ever: somebody else waits for the signal.
  bool AwaitWatched() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  bool IsStopped() const { return limits_.stop != nullptr && limits_.stop->requested(); }

 private:
  const CallLimits limits_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
};

namespace {

// Cancels a call, in a thread of its own, when its stop signal is requested.
class CancelOnStop {
 public:
  // Errors: RESOURCE_EXHAUSTED where there can be no thread.
  absl::Status Start(const StopSignal* stop, grpc::ClientContext* context) {
    if (stop == nullptr) return absl::OkStatus();
    try {
      thread_ = std::thread([this, stop, context] {
        if (AwaitReady(done_.fd(), POLLIN, absl::InfiniteFuture(), stop).ok()) return;
        context->TryCancel();
      });
    } catch (const std::system_error& error) {
      return absl::ResourceExhaustedError(absl::StrCat("thread: ", error.what()));
    }
    return absl::OkStatus();
  }
  ~CancelOnStop() {
    done_.Request();
    if (thread_.joinable()) thread_.join();
  }

 private:
  StopSignal done_;
  std::thread thread_;
};

}  // namespace

GrpcClient::~GrpcClient() = default;

void GrpcClient::Reconnect() {
  std::shared_ptr<Connection> old;
  const absl::MutexLock lock(&mutex_);
  old.swap(connection_);
}

absl::StatusOr<std::shared_ptr<GrpcClient::Connection>> GrpcClient::Connect(
    const GrpcRequest& request) {
  // The library ends the program for it.
  for (const auto& [key, value] : request.metadata) {
    if (!IsHeaderText(value)) return absl::InvalidArgumentError("text that no header can hold");
  }
  const absl::MutexLock lock(&mutex_);
  if (connection_ != nullptr) return connection_;
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd socket, connect_());
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "fcntl", socket.path());
  }
  connection_ = std::make_shared<Connection>(socket.Release());
  return connection_;
}

absl::Status GrpcClient::Conclude(const GrpcRequest& request, const absl::Status& status,
                                  const std::shared_ptr<Connection>& connection) {
  if (absl::IsUnavailable(status)) {
    const absl::MutexLock lock(&mutex_);
    if (connection_ == connection) connection_ = nullptr;
  }
  return base::Annotate(status, absl::StripPrefix(request.method, "/"));
}

absl::StatusOr<std::string> GrpcClient::Call(const GrpcRequest& request, const CallLimits& limits) {
  NSCTL_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection, Connect(request));
  Exchange exchange(request, limits);
  const auto call = connection->stub().PrepareUnaryCall(
      exchange.context(), request.method, ToBuffer(request.message), exchange.queue());
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, exchange.tag());
  exchange.Await();
  if (exchange.IsStopped()) return Conclude(request, StoppedError(), connection);
  if (!status.ok()) return Conclude(request, ToAbsl(status), connection);
  if (answer.Length() > limits.max_bytes) {
    return Conclude(request, absl::ResourceExhaustedError("an answer too long"), connection);
  }
  return ToString(answer);
}

absl::Status GrpcClient::Stream(const GrpcRequest& request, const CallLimits& limits,
                                absl::FunctionRef<absl::Status()> sent,
                                absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  NSCTL_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection, Connect(request));
  Exchange exchange(request, limits);
  CancelOnStop cancel;
  NSCTL_RETURN_IF_ERROR(cancel.Start(limits.stop, exchange.context()));
  // Headers, request and the end of requests are one operation.
  exchange.context()->set_initial_metadata_corked(true);
  const auto call =
      connection->stub().PrepareCall(exchange.context(), request.method, exchange.queue());
  call->StartCall(nullptr);
  call->WriteLast(ToBuffer(request.message), grpc::WriteOptions(), exchange.tag());
  absl::Status result = exchange.AwaitWatched() ? sent() : absl::OkStatus();
  size_t received = 0;
  grpc::ByteBuffer message;
  while (result.ok()) {
    call->Read(&message, exchange.tag());
    if (!exchange.AwaitWatched()) break;
    received += message.Length();
    result = received > limits.max_bytes ? absl::ResourceExhaustedError("an answer too long")
                                         : sink(ToString(message));
  }
  if (!result.ok()) exchange.context()->TryCancel();
  grpc::Status status;
  call->Finish(&status, exchange.tag());
  exchange.AwaitWatched();
  if (exchange.IsStopped()) result = StoppedError();
  return Conclude(request, result.ok() ? ToAbsl(status) : result, connection);
}

}  // namespace nsctl::engines
