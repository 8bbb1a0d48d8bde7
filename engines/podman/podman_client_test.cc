#include "engines/podman/podman_client.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/engine_client.h"
#include "engines/fake_http_server.h"
#include "engines/http_client.h"
#include "engines/stop_signal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::podman {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using Kind = EngineEvent::Kind;

CallLimits Limits() { return {.deadline = absl::Now() + absl::Seconds(30)}; }

// What Podman 4.3.1 answers, shortened.
class PodmanClientTest : public ::testing::Test {
 protected:
  PodmanClientTest() : server_([this](FakeConnection& connection) { Handle(connection); }) {}

  void Handle(FakeConnection& connection) {
    const std::string& target = connection.target();
    {
      const absl::MutexLock lock(&mutex_);
      targets_.push_back(target);
    }
    if (target == "/libpod/_ping") {
      connection.Send(
          "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n"
          "Content-Length: 2\r\n\r\nOK");
    } else if (absl::StartsWith(target, "/v4.0.0/libpod/containers/json")) {
      connection.SendResponse(
          200, R"([{"Id":"a1","Names":["db"],"Pid":7,"State":"paused","Labels":null},)"
               R"({"Id":"b2","Names":["web"],"Pid":8,"Pod":"p9","PodName":"shop",)"
               R"("State":"running","Labels":null}])");
    } else if (target == "/v4.0.0/libpod/containers/b2/json") {
      connection.SendResponse(200, R"({"Id":"b2","Name":"web","Pod":"p9",)"
                                   R"("State":{"Status":"running","Pid":8}})");
    } else if (target == "/v4.0.0/libpod/pods/p9/json") {
      connection.SendResponse(200, R"({"Id":"p9","Name":"shop","InfraContainerID":"c3"})");
    } else if (absl::StartsWith(target, "/v4.0.0/libpod/events?stream=true&since=1700000000")) {
      connection.StartChunks();
      connection.SendChunk("null\n{\"Type\":\"container\",\"Action\":\"died\",\"Actor\":");
      connection.SendChunk("{\"ID\":\"a1\",\"Attributes\":{\"containerExitCode\":\"3\"}}}\n");
      connection.SendChunk("{\"Type\":\"container\",\"Action\":\"st\n");
      connection.EndChunks();
    } else {
      connection.SendResponse(404,
                              R"({"cause":"no such container","message":"nope","response":404})");
    }
  }

  std::vector<std::string> targets() {
    const absl::MutexLock lock(&mutex_);
    return targets_;
  }

  absl::Mutex mutex_;
  std::vector<std::string> targets_;
  FakeHttpServer server_;
  std::unique_ptr<EngineClient> client_ = MakePodmanClient(server_.connector());
};

TEST_F(PodmanClientTest, SaysWhoAnswers) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine engine, client_->Identify(Limits()));

  EXPECT_EQ(engine.ShortDebugString(), "type: podman version: \"4.3.1\" api_version: \"4.3.1\"");
}

TEST_F(PodmanClientTest, TellsAnotherEngine) {
  FakeHttpServer other([](FakeConnection& connection) { connection.SendResponse(200, "OK"); });

  EXPECT_THAT(MakePodmanClient(other.connector())->Identify(Limits()),
              StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(PodmanClientTest, ListsPausedContainersAndPodsInOneCall) {
  std::vector<std::string> rows;
  ASSERT_THAT(client_->List(Limits(),
                            [&rows](EngineRow row) {
                              rows.push_back(row.container.name() + " in " +
                                             (row.pod.has_value() ? row.pod->name() : "none"));
                              return absl::OkStatus();
                            }),
              IsOk());

  EXPECT_THAT(rows, ElementsAre("db in none", "web in shop"));
  ASSERT_THAT(targets(), ::testing::SizeIs(2));
  EXPECT_THAT(targets()[0], HasSubstr(PercentEncode(R"({"status":["running","paused"]})")));
  EXPECT_EQ(targets()[1], "/v4.0.0/libpod/pods/p9/json");
}

TEST_F(PodmanClientTest, ListsWhatDoesNotRunOnRequest) {
  FakeHttpServer server([](FakeConnection& connection) {
    EXPECT_EQ(connection.target(), "/v4.0.0/libpod/containers/json?all=true");
    connection.SendResponse(
        200, R"([{"Id":"a1","Names":["db"],"Pid":7,"State":"paused"},)"
             R"({"Id":"b2","Names":["job"],"State":"exited","ExitCode":3,"ExitedAt":1700000000},)"
             R"({"Id":"c3","Names":["new"],"State":"configured","ExitCode":0}])");
  });
  std::vector<std::string> rows;

  ASSERT_THAT(
      MakePodmanClient(server.connector())
          ->ListStopped(Limits(),
                        [&rows](EngineRow row) {
                          rows.push_back(row.container.name() + " " +
                                         StateName(row.container.state()) + " " +
                                         std::to_string(row.container.exit_code()) + " " +
                                         std::to_string(row.container.finished_at().seconds()));
                          return absl::OkStatus();
                        }),
      IsOk());

  EXPECT_THAT(rows, ElementsAre("job exited 3 1700000000", "new created 0 0"));
}

TEST_F(PodmanClientTest, AsksForAPodOnce) {
  for (int i = 0; i < 2; ++i) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, client_->Inspect({"", "b2"}, Limits()));
    EXPECT_EQ(row.container.engine_pid(), 8);
    ASSERT_TRUE(row.pod.has_value());
    EXPECT_EQ(row.pod->name(), "shop");
    EXPECT_EQ(row.pod->sandbox(), "c3");
  }

  EXPECT_THAT(targets(),
              ElementsAre("/v4.0.0/libpod/containers/b2/json", "/v4.0.0/libpod/pods/p9/json",
                          "/v4.0.0/libpod/containers/b2/json"));
  EXPECT_THAT(client_->Inspect({"", "gone"}, Limits()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nope")));
  EXPECT_THAT(client_->Inspect({"", ".."}, Limits()), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PodmanClientTest, HearsOfEndsAndDamage) {
  std::vector<Kind> kinds;
  int accepted = 0;
  const absl::Status status = client_->Watch(
      absl::FromUnixSeconds(1700000000), Limits(), [&accepted] { ++accepted; },
      [&kinds](const EngineEvent& event) { kinds.push_back(event.kind); });

  EXPECT_EQ(accepted, 1);
  EXPECT_THAT(kinds, ElementsAre(Kind::kExited, Kind::kLost));
  EXPECT_THAT(status, IsOk());
}

TEST_F(PodmanClientTest, IsSubscribedThoughNothingHappens) {
  // Before its first event the service sends nothing at all.
  FakeHttpServer silent([](FakeConnection& connection) { connection.AwaitEnd(); });
  const auto client = MakePodmanClient(silent.connector());
  StopSignal stop;
  CallLimits limits = Limits();
  limits.stop = &stop;

  const absl::Status status = client->Watch(
      absl::FromUnixSeconds(1700000000), limits, [&stop] { stop.Request(); },
      [](const EngineEvent&) {});

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace nsctl::engines::podman
