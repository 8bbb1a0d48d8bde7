#include "engines/http_client.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "engines/fake_http_server.h"
#include "engines/stop_signal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);
constexpr absl::Duration kShort = absl::Milliseconds(30);

CallLimits Limits(absl::Duration time = kLong) { return {.deadline = absl::Now() + time}; }

absl::StatusOr<std::string> Get(FakeHttpServer& server, const std::string& target,
                                const CallLimits& limits) {
  std::string body;
  const absl::Status status =
      HttpCall(server.connector(), {.target = target}, limits, [&body](absl::string_view piece) {
        body.append(piece.data(), piece.size());
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return body;
}

TEST(HttpCall, GetsTheBody) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.SendResponse(200, connection.method() + " " + connection.target());
  });

  EXPECT_THAT(Get(server, "/v1.41/info?a=b", Limits()), IsOkAndHolds("GET /v1.41/info?a=b"));
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpCall, GetsABodyOfManyChunks) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.StartChunks();
    for (int i = 0; i < 1000; ++i) connection.SendChunk("0123456789");
    connection.EndChunks();
  });

  const auto body = Get(server, "/", Limits());

  ASSERT_THAT(body, IsOk());
  EXPECT_EQ(body->size(), 10000);
}

TEST(HttpCall, TellsTheEnginesOwnMessage) {
  struct Case {
    int status;
    const char* body;
    absl::StatusCode code;
    const char* message;
  };
  for (const Case& row : {
           Case{404, R"({"message":"No such container: nope"})", absl::StatusCode::kNotFound,
                "HTTP status 404: No such container: nope"},
           Case{400, R"({"message":"client version 1.99 is too new"})",
                absl::StatusCode::kInvalidArgument,
                "HTTP status 400: client version 1.99 is too new"},
           Case{404, R"({"type":"error","error_code":404,"error":"Instance not found"})",
                absl::StatusCode::kNotFound, "HTTP status 404: Instance not found"},
           Case{403, "", absl::StatusCode::kPermissionDenied, "HTTP status 403"},
           Case{409, "{}", absl::StatusCode::kFailedPrecondition, "HTTP status 409: {}"},
           Case{500, "page not found\n", absl::StatusCode::kUnavailable,
                "HTTP status 500: page not found"},
           Case{418, R"({"message":"\u001b[2J\u202ex"})", absl::StatusCode::kUnknown,
                "HTTP status 418: \\x1b[2J\\xe2\\x80\\xaex"},
       }) {
    FakeHttpServer server(
        [&row](FakeConnection& connection) { connection.SendResponse(row.status, row.body); });

    EXPECT_THAT(Get(server, "/", Limits()), StatusIs(row.code, row.message));
  }
}

TEST(HttpCall, CutsAMessageWithoutEnd) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.StartChunks(500);
    while (connection.SendChunk("no no no no no no no no no no no no no no no no no no no ")) {
    }
  });

  const auto status = Get(server, "/", Limits()).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(status.message().size(), 300);
}

TEST(HttpCall, RefusesTargetsThatWouldBeTwoLines) {
  FakeHttpServer server([](FakeConnection&) {});

  EXPECT_THAT(Get(server, "/x HTTP/1.1\r\nEvil: yes", Limits()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Get(server, "", Limits()), StatusIs(absl::StatusCode::kInvalidArgument));
  for (const auto& [name, value] :
       {std::pair("a", "b\r\nEvil: yes"), std::pair("a:\n", "b"), std::pair("", "b")}) {
    EXPECT_THAT(HttpExchange::Start(*server.connector()(),
                                    {.target = "/", .fields = {{name, value}}}, Limits()),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(HttpExchange, GoesOnWithAnotherProtocol) {
  FakeHttpServer server([](FakeConnection& connection) {
    EXPECT_EQ(connection.Field("connection"), "Upgrade");
    EXPECT_EQ(connection.Field("upgrade"), "echo");
    EXPECT_EQ(connection.Field("x-how"), "often");
    connection.Send("HTTP/1.1 101 Ok\r\nUpgrade: echo\r\n\r\nhello ");
    std::string bytes;
    while (connection.Receive(&bytes) && bytes.empty()) {
    }
    connection.Send(bytes);
  });
  NSCTL_ASSERT_OK_AND_ASSIGN(
      HttpExchange exchange,
      HttpExchange::Start(*server.connector()(),
                          {.target = "/", .upgrade = "echo", .fields = {{"X-How", "often"}}},
                          Limits()));
  EXPECT_EQ(exchange.head().status, 101);

  EXPECT_THAT(exchange.Send("you", Limits()), IsOk());

  std::string bytes;
  while (*exchange.Read(Limits(), &bytes)) {
  }
  EXPECT_EQ(bytes, "hello you");
}

TEST(HttpCall, PassesOnThatNobodyListens) {
  FakeHttpServer server([](FakeConnection&) {});
  server.Refuse(true);

  EXPECT_THAT(Get(server, "/", Limits()), HasErrno(ECONNREFUSED));
}

TEST(HttpCall, WaitsNoLongerThanItsDeadline) {
  struct Case {
    const char* name;
    FakeHttpServer::Handler handler;
  };
  const auto drip = [](FakeConnection& connection, absl::string_view piece) {
    while (connection.Send(piece)) absl::SleepFor(absl::Milliseconds(1));
  };
  for (const Case& row : std::initializer_list<Case>{
           {"silence", [](FakeConnection& connection) { connection.AwaitEnd(); }},
           {"one byte of the head at a time",
            [drip](FakeConnection& connection) {
              connection.Send("HTTP/1.1 200 OK\r\nA: ");
              drip(connection, "x");
            }},
           {"interim responses without end",
            [](FakeConnection& connection) {
              while (connection.Send("HTTP/1.1 100 Continue\r\n\r\n")) {
              }
            }},
           {"one byte of the body at a time",
            [drip](FakeConnection& connection) {
              connection.StartChunks();
              drip(connection, "1\r\nx\r\n");
            }},
           {"chunks without end",
            [](FakeConnection& connection) {
              connection.StartChunks();
              while (connection.SendChunk("0123456789")) {
              }
            }},
       }) {
    SCOPED_TRACE(row.name);
    FakeHttpServer server(row.handler);
    const absl::Time start = absl::Now();

    EXPECT_THAT(Get(server, "/", Limits(kShort)),
                StatusIs(absl::StatusCode::kDeadlineExceeded, "no answer in time"));
    EXPECT_LT(absl::Now() - start, kLong);
  }
}

TEST(HttpCall, TakesNoMoreThanItsLimit) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    const std::string piece(1 << 16, 'x');
    while (connection.Send(piece)) {
    }
  });
  CallLimits limits = Limits();
  limits.max_bytes = 1 << 20;

  EXPECT_THAT(Get(server, "/", limits), StatusIs(absl::StatusCode::kResourceExhausted,
                                                 "HTTP response: body of more than 1048576 bytes"));
}

TEST(HttpCall, EndsWhenItIsStopped) {
  std::atomic<bool> asked = false;
  FakeHttpServer server([&asked](FakeConnection& connection) {
    asked = true;
    connection.AwaitEnd();
  });
  StopSignal stop;
  CallLimits limits = Limits();
  limits.stop = &stop;
  std::thread stopper([&asked, &stop] {
    while (!asked) absl::SleepFor(absl::Milliseconds(1));
    stop.Request();
  });

  EXPECT_THAT(Get(server, "/", limits), StatusIs(absl::StatusCode::kCancelled, "stopped"));
  stopper.join();
  // Before anything is sent as well.
  EXPECT_THAT(Get(server, "/", limits), StatusIs(absl::StatusCode::kCancelled));
}

TEST(HttpCall, SeesBodiesThatAreCut) {
  FakeHttpServer server([](FakeConnection& connection) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  });

  EXPECT_THAT(Get(server, "/", Limits()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut short")));
}

TEST(HttpExchange, GivesAStreamAsItArrives) {
  std::atomic<int> read = 0;
  FakeHttpServer server([&read](FakeConnection& connection) {
    connection.StartChunks();
    for (int i = 0; i < 3; ++i) {
      connection.SendChunk(i == 0 ? "a" : i == 1 ? "b" : "c");
      while (read <= i) absl::SleepFor(absl::Milliseconds(1));
    }
    connection.EndChunks();
  });
  NSCTL_ASSERT_OK_AND_ASSIGN(base::OwnedFd socket, server.connector()());
  NSCTL_ASSERT_OK_AND_ASSIGN(
      HttpExchange exchange,
      HttpExchange::Start(std::move(socket), {.target = "/events"}, Limits()));

  std::string body;
  while (true) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const bool more, exchange.Read(Limits(), &body));
    if (!more) break;
    ++read;
  }

  EXPECT_EQ(body, "abc");
  EXPECT_EQ(read, 3);
}

TEST(PercentEncode, EscapesWhatHasAMeaning) {
  EXPECT_EQ(PercentEncode("shop/web-1_a.b~"), "shop/web-1_a.b~");
  EXPECT_EQ(PercentEncode("{\"a\":[1]} ?&#%\r\n\xff"),
            "%7B%22a%22%3A%5B1%5D%7D%20%3F%26%23%25%0D%0A%FF");
}

}  // namespace
}  // namespace nsctl::engines
