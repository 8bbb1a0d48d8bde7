#include "engines/grpc_client.h"

#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "engines/fake_grpc_server.h"
#include "engines/http_client.h"
#include "engines/stop_signal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Not;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);

CallLimits Limits(absl::Duration time = kLong) { return {.deadline = absl::Now() + time}; }

absl::Status Nothing() { return absl::OkStatus(); }

// "echo" answers with what it is sent, "count" with 1, 2, 3, "hang" never, "fail" with an error,
// "bomb" with more than is allowed, "flood" without end.
absl::Status Answer(FakeGrpcCall& call) {
  if (call.method() == "/t.T/echo") {
    call.Send(absl::StrCat(call.message(), call.Metadata("containerd-namespace")));
  } else if (call.method() == "/t.T/count") {
    for (const char* number : {"1", "2", "3"}) call.Send(number);
  } else if (call.method() == "/t.T/hang") {
    call.AwaitEnd();
  } else if (call.method() == "/t.T/fail") {
    return absl::NotFoundError("no such \x1b[2J container");
  } else if (call.method() == "/t.T/bomb") {
    call.Send(std::string(GrpcClient::kMaxMessage + 1, 'x'));
  } else if (call.method() == "/t.T/flood") {
    while (call.Send(std::string(1 << 20, 'x'))) {
    }
  } else {
    return absl::UnimplementedError("unknown method");
  }
  return absl::OkStatus();
}

class GrpcClientTest : public ::testing::Test {
 protected:
  absl::Status Stream(const std::string& method, const CallLimits& limits) {
    return client_.Stream({.method = method}, limits, Nothing, [this](absl::string_view message) {
      messages_.emplace_back(message.substr(0, 8));
      return absl::OkStatus();
    });
  }

  FakeGrpcServer server_{Answer};
  GrpcClient client_{server_.connector()};
  std::vector<std::string> messages_;
};

TEST_F(GrpcClientTest, HasTheAnswer) {
  EXPECT_THAT(client_.Call({.method = "/t.T/echo", .message = "hello "}, Limits()),
              IsOkAndHolds("hello "));
  EXPECT_THAT(client_.Call({.method = "/t.T/echo",
                            .message = std::string("\0\xff", 2),
                            .metadata = {{"containerd-namespace", "k8s.io"}}},
                           Limits()),
              IsOkAndHolds(std::string("\0\xffk8s.io", 8)));
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(GrpcClientTest, HasAllMessagesOfAStream) {
  EXPECT_THAT(Stream("/t.T/count", Limits()), IsOk());
  EXPECT_THAT(messages_, ElementsAre("1", "2", "3"));
}

TEST_F(GrpcClientTest, PassesOnWhatTheServerRefuses) {
  EXPECT_THAT(client_.Call({.method = "/t.T/fail"}, Limits()),
              StatusIs(absl::StatusCode::kNotFound, "t.T/fail: no such \x1b[2J container"));
  EXPECT_THAT(Stream("/t.T/fail", Limits()),
              StatusIs(absl::StatusCode::kNotFound, "t.T/fail: no such \x1b[2J container"));
  EXPECT_THAT(client_.Call({.method = "/t.T/what"}, Limits()),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(GrpcClientTest, WaitsNoLongerThanItsDeadline) {
  const absl::Time start = absl::Now();

  EXPECT_THAT(client_.Call({.method = "/t.T/hang"}, Limits(absl::Milliseconds(50))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(Stream("/t.T/hang", Limits(absl::Milliseconds(50))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));

  EXPECT_LT(absl::Now() - start, kLong / 2);
  // The connection is as good as before.
  EXPECT_THAT(client_.Call({.method = "/t.T/echo"}, Limits()), IsOk());
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(GrpcClientTest, EndsWhenItIsStopped) {
  StopSignal stop;
  CallLimits limits = Limits();
  limits.stop = &stop;
  CallLimits endless = limits;
  endless.deadline = absl::InfiniteFuture();
  absl::Status stream;
  absl::Status call;
  std::thread streaming([&] { stream = Stream("/t.T/hang", endless); });
  std::thread calling([&] { call = client_.Call({.method = "/t.T/hang"}, limits).status(); });

  absl::SleepFor(absl::Milliseconds(30));
  const absl::Time start = absl::Now();
  stop.Request();
  streaming.join();
  calling.join();

  EXPECT_LT(absl::Now() - start, kLong / 2);
  EXPECT_THAT(stream, StatusIs(absl::StatusCode::kCancelled, "t.T/hang: stopped"));
  EXPECT_THAT(call, StatusIs(absl::StatusCode::kCancelled, "t.T/hang: stopped"));
}

TEST_F(GrpcClientTest, TakesNoMoreThanItsLimits) {
  EXPECT_THAT(client_.Call({.method = "/t.T/bomb"}, Limits()),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("larger than max")));
  CallLimits limits = Limits();
  limits.max_bytes = 5 << 20;
  EXPECT_THAT(Stream("/t.T/flood", limits),
              StatusIs(absl::StatusCode::kResourceExhausted, "t.T/flood: an answer too long"));
  EXPECT_EQ(messages_.size(), 5);
  limits.max_bytes = 2;
  EXPECT_THAT(client_.Call({.method = "/t.T/echo", .message = "abc"}, limits),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(GrpcClientTest, EndsAStreamForItsReceiver) {
  int messages = 0;
  EXPECT_THAT(client_.Stream({.method = "/t.T/flood"}, Limits(), Nothing,
                             [&messages](absl::string_view) {
                               return ++messages < 3 ? absl::OkStatus()
                                                     : absl::DataLossError("enough");
                             }),
              StatusIs(absl::StatusCode::kDataLoss, "t.T/flood: enough"));
  EXPECT_EQ(messages, 3);
  EXPECT_THAT(
      client_.Stream(
          {.method = "/t.T/count"}, Limits(), [] { return absl::DataLossError("not even begun"); },
          [](absl::string_view) { return absl::OkStatus(); }),
      StatusIs(absl::StatusCode::kDataLoss, "t.T/count: not even begun"));
}

TEST_F(GrpcClientTest, ConnectsAgainAfterTheConnectionBroke) {
  ASSERT_THAT(client_.Call({.method = "/t.T/echo"}, Limits()), IsOk());
  server_.Refuse(true);
  server_.EndConnections();
  // What it had is gone, and there is no other.
  EXPECT_THAT(client_.Call({.method = "/t.T/hang"}, Limits()),
              StatusIs(absl::StatusCode::kUnavailable));
  const absl::StatusOr<std::string> refused = client_.Call({.method = "/t.T/echo"}, Limits());
  EXPECT_EQ(base::ErrnoOf(refused.status()), ECONNREFUSED);
  server_.Refuse(false);

  EXPECT_THAT(client_.Call({.method = "/t.T/echo"}, Limits()), IsOk());
  client_.Reconnect();
  EXPECT_THAT(client_.Call({.method = "/t.T/echo"}, Limits()), IsOk());
  EXPECT_EQ(server_.connections(), 4);
}

TEST_F(GrpcClientTest, AsksNothingThatNoHeaderCanHold) {
  for (const char* text : {"a\nb", "\x80", "\x7f", "a\x1b"}) {
    EXPECT_THAT(
        client_.Call({.method = "/t.T/echo", .message = "", .metadata = {{"ns", text}}}, Limits()),
        StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

// What answers is no gRPC server at all.
class GrpcClientStrangerTest : public ::testing::Test {
 protected:
  Connector ConnectorTo(const std::string& greeting) {
    return [this, greeting]() -> absl::StatusOr<base::OwnedFd> {
      int sockets[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        return absl::InternalError("socketpair");
      }
      base::OwnedFd client(sockets[0]);
      peers_.emplace_back(sockets[1]);
      (void)base::WriteAll(peers_.back(), greeting);
      return client;
    };
  }

  std::vector<base::OwnedFd> peers_;
};

TEST_F(GrpcClientStrangerTest, GivesUpOnWhoNeverAnswers) {
  GrpcClient client(ConnectorTo(""));

  EXPECT_THAT(client.Call({.method = "/t.T/echo"}, Limits(absl::Milliseconds(50))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(GrpcClientStrangerTest, GivesUpOnWhoSpeaksAnotherProtocol) {
  for (const std::string& greeting :
       {std::string("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
        std::string(100, '\0'), std::string(100, '\xff')}) {
    GrpcClient client(ConnectorTo(greeting));
    const absl::Time start = absl::Now();

    const absl::StatusOr<std::string> answer =
        client.Call({.method = "/t.T/echo"}, Limits(absl::Seconds(2)));

    // The library has several words for it.
    EXPECT_THAT(answer, Not(IsOk()));
    EXPECT_LT(absl::Now() - start, kLong / 2);
  }
}

}  // namespace
}  // namespace nsctl::engines
