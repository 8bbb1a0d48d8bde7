#include "engines/web_socket.h"

#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/fake_http_server.h"
#include "engines/fake_web_socket.h"
#include "engines/http_client.h"
#include "engines/stop_signal.h"
#include "engines/web_socket_frames.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Pair;
using testing::StatusIs;
using Opcode = WebSocketOpcode;

constexpr absl::Duration kLong = absl::Seconds(30);

CallLimits Limits() { return {.deadline = absl::Now() + kLong}; }

// Waits for so many frames of the client; fewer where it went or sent what it may not.
ClientFrames AwaitFrames(FakeConnection& connection, size_t count) {
  ClientFrames frames;
  std::string bytes;
  const absl::Time deadline = absl::Now() + kLong;
  while (frames.size() < count && absl::Now() < deadline) {
    const bool alive = connection.Receive(&bytes);
    const auto more = TakeClientFrames(&bytes);
    if (!more.has_value()) break;
    frames.insert(frames.end(), more->begin(), more->end());
    if (!alive) break;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return frames;
}

struct Heard {
  absl::Status status;
  std::vector<std::string> messages;
  int pings = 0;
};

// What a client hears of a server that does `script` once the socket is open.
Heard Hear(const FakeHttpServer::Handler& script, WebSocketOptions options = {},
           const StopSignal* stop = nullptr) {
  FakeHttpServer server([&script](FakeConnection& connection) {
    if (AcceptWebSocket(connection)) script(connection);
  });
  Heard heard;
  CallLimits limits = Limits();
  limits.stop = stop;
  absl::StatusOr<WebSocket> socket =
      WebSocket::Open(*server.connector()(), "/1.0/events", limits, options);
  heard.status = socket.status();
  if (!socket.ok()) return heard;
  heard.status = socket->ReadAll(
      limits, [&heard](absl::string_view message) { heard.messages.emplace_back(message); },
      [&heard] { ++heard.pings; });
  return heard;
}

TEST(WebSocket, HearsMessagesToTheirEnd) {
  ClientFrames frames;

  const Heard heard = Hear([&frames](FakeConnection& connection) {
    connection.Send(ServerFrame(Opcode::kText, "one"));
    connection.Send(ServerFrame(Opcode::kText, "tw", false));
    connection.Send(ServerFrame(Opcode::kContinuation, "o"));
    connection.Send(ServerFrame(Opcode::kBinary, std::string(70'000, 'x')));
    connection.Send(ServerFrame(Opcode::kClose, "\x03\xe8 good bye"));
    connection.Send(ServerFrame(Opcode::kText, "not heard"));
    frames = AwaitFrames(connection, 1);
  });

  EXPECT_THAT(heard.status, IsOk());
  EXPECT_THAT(heard.messages, ElementsAre("one", "two", std::string(70'000, 'x')));
  EXPECT_THAT(frames, ElementsAre(Pair(Opcode::kClose, "\x03\xe8")));
}

TEST(WebSocket, HearsWhatComesWithTheHandshake) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.Send(absl::StrCat(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ",
        WebSocketAccept(connection.Field("Sec-WebSocket-Key")), "\r\n\r\n",
        ServerFrame(Opcode::kText, "early"), ServerFrame(Opcode::kClose, "")));
    connection.AwaitEnd();
  });
  std::vector<std::string> messages;

  absl::StatusOr<WebSocket> socket = WebSocket::Open(*server.connector()(), "/", Limits());
  ASSERT_THAT(socket, IsOk());
  EXPECT_THAT(
      socket->ReadAll(
          Limits(), [&messages](absl::string_view message) { messages.emplace_back(message); },
          [] {}),
      IsOk());

  EXPECT_THAT(messages, ElementsAre("early"));
}

TEST(WebSocket, AnswersPings) {
  ClientFrames first;
  ClientFrames second;

  const Heard heard = Hear([&](FakeConnection& connection) {
    connection.Send(ServerFrame(Opcode::kPing, "keepalive"));
    first = AwaitFrames(connection, 1);
    // Only the last of several needs an answer.
    connection.Send(ServerFrame(Opcode::kPing, "a") + ServerFrame(Opcode::kPing, "b"));
    second = AwaitFrames(connection, 1);
    connection.Send(ServerFrame(Opcode::kClose, ""));
    connection.AwaitEnd();
  });

  EXPECT_THAT(heard.status, IsOk());
  EXPECT_THAT(first, ElementsAre(Pair(Opcode::kPong, "keepalive")));
  EXPECT_THAT(second, ElementsAre(Pair(Opcode::kPong, "b")));
  EXPECT_EQ(heard.pings, 3);
}

TEST(WebSocket, TellsAnEndThatWasNotSaid) {
  const Heard heard =
      Hear([](FakeConnection& connection) { connection.Send(ServerFrame(Opcode::kText, "one")); });

  EXPECT_THAT(heard.status,
              StatusIs(absl::StatusCode::kDataLoss, "WebSocket: the connection ended"));
  EXPECT_THAT(heard.messages, ElementsAre("one"));
}

TEST(WebSocket, EndsWithAServerThatBreaksTheProtocol) {
  const Heard heard = Hear([](FakeConnection& connection) {
    connection.Send(ServerFrame(Opcode::kText, "one"));
    connection.Send("HTTP/1.1 500 Oh\r\n\r\n");
    connection.AwaitEnd();
  });

  EXPECT_THAT(heard.status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(heard.messages, ElementsAre("one"));
}

TEST(WebSocket, KeepsNoMessageWithoutEnd) {
  const Heard heard = Hear(
      [](FakeConnection& connection) {
        connection.Send(ServerFrame(Opcode::kText, "x", false));
        while (connection.Send(ServerFrame(Opcode::kContinuation, std::string(1000, 'x'), false))) {
        }
      },
      {.max_message_bytes = 10'000});

  EXPECT_THAT(heard.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(heard.messages, IsEmpty());
}

TEST(WebSocket, ExpectsAServerThatPingsToGoOn) {
  const Heard heard = Hear(
      [](FakeConnection& connection) {
        connection.Send(ServerFrame(Opcode::kPing, ""));
        connection.AwaitEnd();
      },
      {.max_silence = absl::Milliseconds(30)});

  EXPECT_THAT(heard.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(WebSocket, ExpectsAFirstSign) {
  const Heard silent = Hear([](FakeConnection& connection) { connection.AwaitEnd(); },
                            {.first_sign = absl::Milliseconds(30)});
  const Heard late = Hear(
      [](FakeConnection& connection) {
        connection.Send(ServerFrame(Opcode::kText, "one"));
        // Longer than the first one may take.
        absl::SleepFor(absl::Milliseconds(600));
        connection.Send(ServerFrame(Opcode::kText, "two"));
        connection.Send(ServerFrame(Opcode::kClose, ""));
        connection.AwaitEnd();
      },
      {.first_sign = absl::Milliseconds(500)});

  EXPECT_THAT(silent.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(late.status, IsOk());
  EXPECT_THAT(late.messages, ElementsAre("one", "two"));
}

TEST(WebSocket, DoesNotHangWithAServerThatTakesNoAnswer) {
  const Heard heard = Hear(
      [](FakeConnection& connection) {
        // So many answers fit into no socket.
        const std::string ping = ServerFrame(Opcode::kPing, std::string(125, 'p'));
        while (connection.Send(ping)) {
        }
      },
      {.answer_timeout = absl::Milliseconds(50)});

  EXPECT_THAT(heard.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(WebSocket, CanBeStopped) {
  StopSignal stop;
  absl::Notification open;
  std::thread stopper([&] {
    open.WaitForNotification();
    stop.Request();
  });

  const Heard heard = Hear(
      [&open](FakeConnection& connection) {
        open.Notify();
        connection.AwaitEnd();
      },
      {}, &stop);
  stopper.join();

  EXPECT_THAT(heard.status, StatusIs(absl::StatusCode::kCancelled));
}

TEST(WebSocket, IsNotOpenedByOtherAnswers) {
  struct Case {
    std::string name;
    std::string answer;
    absl::StatusCode code;
  };
  const std::string right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  for (const Case& row : {
           Case{"no upgrade", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                absl::StatusCode::kUnimplemented},
           Case{"refused",
                "HTTP/1.1 403 No\r\nContent-Length: 23\r\n\r\n{\"error\":\"not trusted\"}",
                absl::StatusCode::kPermissionDenied},
           Case{"of another key",
                absl::StrCat("HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: ",
                             right, "\r\n\r\n"),
                absl::StatusCode::kUnimplemented},
           Case{"another protocol", "HTTP/1.1 101 Ok\r\nUpgrade: h2c\r\n\r\n",
                absl::StatusCode::kUnimplemented},
           Case{"the end", "", absl::StatusCode::kDataLoss},
       }) {
    FakeHttpServer server([&row](FakeConnection& connection) { connection.Send(row.answer); });

    EXPECT_THAT(WebSocket::Open(*server.connector()(), "/", Limits()), StatusIs(row.code))
        << row.name;
  }
}

}  // namespace
}  // namespace nsctl::engines
