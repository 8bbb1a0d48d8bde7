#include "engines/fake_http_server.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/errors.h"
#include "base/fd.h"

namespace nsctl::engines {

bool FakeConnection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool FakeConnection::SendResponse(int status, absl::string_view body) {
  return Send(
      absl::StrFormat("HTTP/1.1 %d Text\r\nContent-Type: application/json\r\n"
                      "Content-Length: %d\r\n\r\n%s",
                      status, body.size(), body));
}

bool FakeConnection::StartChunks(int status) {
  return Send(absl::StrFormat("HTTP/1.1 %d Text\r\nTransfer-Encoding: chunked\r\n\r\n", status));
}

bool FakeConnection::SendChunk(absl::string_view data) {
  return Send(absl::StrFormat("%x\r\n%s\r\n", data.size(), data));
}

bool FakeConnection::Receive(std::string* bytes) {
  char buffer[4096];
  while (true) {
    const ssize_t received = recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (received > 0) {
      bytes->append(buffer, static_cast<size_t>(received));
    } else if (received == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }
  }
}

std::string FakeConnection::Field(absl::string_view name) const {
  for (absl::string_view field : fields_) {
    const size_t colon = field.find(':');
    if (!absl::EqualsIgnoreCase(field.substr(0, colon), name)) continue;
    return std::string(absl::StripAsciiWhitespace(field.substr(colon + 1)));
  }
  return "";
}

bool FakeConnection::closed() const {
  char byte;
  return recv(socket_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

void FakeConnection::AwaitEnd() {
  char byte;
  while (recv(socket_.get(), &byte, 1, 0) > 0) {
  }
}

bool FakeConnection::ReadRequest() {
  std::string head;
  while (!absl::StrContains(head, "\r\n\r\n")) {
    char buffer[4096];
    const ssize_t received = recv(socket_.get(), buffer, sizeof(buffer), 0);
    if (received <= 0) return false;
    head.append(buffer, static_cast<size_t>(received));
  }
  const std::vector<std::string> words = absl::StrSplit(head, absl::MaxSplits(' ', 2));
  method_ = words[0];
  if (words.size() > 1) target_ = words[1];
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n", absl::SkipEmpty());
  fields_.assign(lines.begin() + 1, lines.end());
  return true;
}

void FakeConnection::Shutdown() { shutdown(socket_.get(), SHUT_RDWR); }

FakeHttpServer::~FakeHttpServer() {
  std::vector<Serving> serving;
  {
    const absl::MutexLock lock(&mutex_);
    serving.swap(serving_);
  }
  for (Serving& one : serving) {
    one.connection->Shutdown();
    one.thread.join();
  }
}

void FakeHttpServer::EndConnections() {
  const absl::MutexLock lock(&mutex_);
  for (Serving& one : serving_) one.connection->Shutdown();
}

absl::StatusOr<base::OwnedFd> FakeHttpServer::Connect() {
  if (refuse_) return base::ErrnoStatus(ECONNREFUSED, "connect", "fake server");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "socketpair");
  }
  Serve(base::OwnedFd(ends[0]));
  return base::OwnedFd(ends[1], "fake server");
}

void FakeHttpServer::Serve(base::OwnedFd socket) {
  ++connections_;
  Serving serving;
  serving.connection = std::make_shared<FakeConnection>(std::move(socket));
  serving.thread = std::thread([this, connection = serving.connection, done = serving.done] {
    const int now = ++now_;
    int most = most_at_once_;
    while (now > most && !most_at_once_.compare_exchange_weak(most, now)) {
    }
    if (connection->ReadRequest()) handler_(*connection);
    // The descriptor itself is closed when nobody can shut it down any more.
    connection->Shutdown();
    --now_;
    *done = true;
  });

  const absl::MutexLock lock(&mutex_);
  std::vector<Serving> alive;
  for (Serving& one : serving_) {
    if (*one.done) {
      one.thread.join();
    } else {
      alive.push_back(std::move(one));
    }
  }
  alive.push_back(std::move(serving));
  serving_.swap(alive);
}

}  // namespace nsctl::engines
