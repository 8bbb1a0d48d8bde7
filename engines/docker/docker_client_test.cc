#include "engines/docker/docker_client.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/container_hub.h"
#include "engines/docker/fake_docker.h"
#include "engines/engine_client.h"
#include "engines/engine_watcher.h"
#include "engines/fake_http_server.h"
#include "engines/http_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::docker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Seconds(30);

bool Await(absl::FunctionRef<bool()> condition) {
  const absl::Time deadline = absl::Now() + kLong;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

CallLimits Limits(absl::Duration time = kLong) { return {.deadline = absl::Now() + time}; }

TEST(DockerClient, SaysWhoAnswers) {
  FakeDocker docker;
  const auto client = MakeDockerClient(docker.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine engine, client->Identify(Limits()));

  EXPECT_EQ(engine.type(), Engine::docker);
  EXPECT_EQ(engine.id(), "ABCD:EFGH");
  EXPECT_EQ(engine.version(), "20.10.24");
  EXPECT_EQ(engine.api_version(), "1.41");
}

TEST(DockerClient, KnowsPodmansImitation) {
  FakeDocker docker;
  docker.Answer("/_ping", [](FakeConnection& connection) {
    connection.Send(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\n"
        "Content-Length: 0\r\n\r\n");
  });
  const auto client = MakeDockerClient(docker.connector());

  NSCTL_ASSERT_OK_AND_ASSIGN(const Engine engine, client->Identify(Limits()));

  EXPECT_EQ(engine.type(), Engine::podman);
  EXPECT_EQ(engine.id(), "");
}

TEST(DockerClient, AsksOldDaemonsAnotherWay) {
  FakeDocker docker;
  docker.Answer("/_ping", [](FakeConnection& connection) {
    if (connection.method() == "HEAD") {
      connection.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    } else {
      connection.Send("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK");
    }
  });

  EXPECT_THAT(MakeDockerClient(docker.connector())->Identify(Limits()), IsOk());
}

TEST(DockerClient, PassesOnWhatTheDaemonRefuses) {
  FakeDocker docker;
  docker.Answer("/info", [](FakeConnection& connection) {
    connection.SendResponse(400, R"({"message":"client version 1.41 is too new"})");
  });

  EXPECT_THAT(MakeDockerClient(docker.connector())->Identify(Limits()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "/v1.41/info: HTTP status 400: client version 1.41 is too new"));
}

TEST(DockerClient, ListsWhatDoesNotRunOnRequest) {
  FakeDocker docker;
  for (const char* name : {"web", "job", "gone"}) docker.Start(name);
  docker.Die("job", 3);
  docker.Die("gone", 4);
  const auto client = MakeDockerClient(docker.connector());
  ASSERT_THAT(client->Identify(Limits()), IsOk());
  std::vector<std::string> stopped;
  std::vector<std::string> ids;
  const auto list = [&] {
    stopped.clear();
    return client->ListStopped(Limits(), [&](EngineRow row) {
      ids.push_back(row.container.id());
      stopped.push_back(absl::StrCat(row.container.name(), " ", StateName(row.container.state()),
                                     " ", row.container.exit_code(), row.partial ? "?" : ""));
      return absl::OkStatus();
    });
  };

  EXPECT_THAT(list(), IsOk());
  EXPECT_THAT(stopped, ::testing::UnorderedElementsAre("job exited 3", "gone exited 4"));

  // The list alone, where no inspection is answered.
  for (const std::string& id : std::vector<std::string>(ids)) {
    docker.Answer(absl::StrCat(id, "/json"), [](FakeConnection& connection) {
      connection.SendResponse(500, R"({"message":"not now"})");
    });
  }
  EXPECT_THAT(list(), IsOk());
  EXPECT_THAT(stopped, ::testing::UnorderedElementsAre("job exited 3?", "gone exited 4?"));
}

TEST(DockerClient, InspectsNothingButContainers) {
  FakeDocker docker;
  docker.Start("web");
  const auto client = MakeDockerClient(docker.connector());
  ASSERT_THAT(client->Identify(Limits()), IsOk());

  EXPECT_THAT(client->Inspect({"", FakeDocker::IdOf("web")}, Limits()), IsOk());
  EXPECT_THAT(client->Inspect({"", "nope"}, Limits()), StatusIs(absl::StatusCode::kNotFound));
  for (const char* id : {"../../info", "..", "a/b", "\\q"}) {
    EXPECT_THAT(client->Inspect({"", id}, Limits()),
                StatusIs(absl::StatusCode::kNotFound, "an id that is none"));
  }
  docker.Answer("/json", [](FakeConnection& connection) {
    connection.SendResponse(200, R"({"Id":"another"})");
  });
  EXPECT_THAT(client->Inspect({"", FakeDocker::IdOf("web")}, Limits()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(DockerClient, ReadsListsWithoutEndInBoundedMemory) {
  FakeDocker docker;
  docker.Answer("/containers/json", [](FakeConnection& connection) {
    connection.StartChunks();
    std::string rows;
    for (int i = 0; i < 1000; ++i) rows += R"({"Id":"0123456789abcdef","Labels":{"a":"b"}},)";
    connection.SendChunk("[");
    while (connection.SendChunk(rows)) {
    }
  });
  const auto client = MakeDockerClient(docker.connector());
  CallLimits limits = Limits();
  limits.max_bytes = 4 << 20;
  size_t rows = 0;

  EXPECT_THAT(client->List(limits,
                           [&rows](EngineRow) {
                             ++rows;
                             return absl::OkStatus();
                           }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("body of more than")));
  EXPECT_GT(rows, 20'000);
}

class DockerWatchTest : public ::testing::Test {
 protected:
  void Watch() {
    WatcherOptions options;
    options.min_backoff = absl::Milliseconds(1);
    options.max_backoff = absl::Milliseconds(10);
    options.call_timeout = call_timeout_;
    Engine engine;
    engine.set_key("docker:1@1");
    engine.set_type(Engine::docker);
    watcher_ = std::make_unique<EngineWatcher>(engine, MakeDockerClient(docker_.connector()),
                                               docker_.MakeFinder(), nullptr, &hub_, options);
  }
  void WatchAndSync() {
    Watch();
    ASSERT_TRUE(Await([this] { return IsReady(); }));
  }
  bool IsReady() {
    const Containers current = hub_.Current();
    return current.engines_size() > 0 && current.engines(0).state() == Engine::ready;
  }
  // "web 100 running", in order of names.
  std::vector<std::string> Known() {
    std::vector<std::string> known;
    const Containers current = hub_.Current();
    for (const Container& container : current.containers()) {
      known.push_back(
          absl::StrCat(container.name(), " ", container.pid(), " ", StateName(container.state())));
    }
    std::sort(known.begin(), known.end());
    return known;
  }
  bool AwaitKnown(const std::vector<std::string>& wanted) {
    return Await([&] { return Known() == wanted; });
  }
  // All changes of containers so far: "started web".
  std::vector<std::string> Changes() {
    while (true) {
      auto batch = subscription_->Next(absl::Now());
      if (!batch.ok()) return changes_;
      for (const Change& change : batch->changes) {
        if (!change.has_container()) continue;
        changes_.push_back(
            absl::StrCat(Change::Kind_Name(change.kind()), " ", change.container().name()));
      }
    }
  }

  absl::Duration call_timeout_ = absl::Seconds(5);
  FakeDocker docker_;
  ContainerHub hub_;
  std::unique_ptr<ContainerHub::Subscription> subscription_ = hub_.Subscribe();
  std::vector<std::string> changes_;
  std::unique_ptr<EngineWatcher> watcher_;
};

TEST_F(DockerWatchTest, FollowsARestartAndTheRest) {
  docker_.Start("web");
  WatchAndSync();
  docker_.Die("web", 143);
  docker_.Start("web");
  ASSERT_TRUE(AwaitKnown({"web 101 running"}));
  docker_.SetPaused("web", true);
  docker_.Rename("web", "shop");
  ASSERT_TRUE(AwaitKnown({"shop 101 paused"}));
  docker_.SetPaused("shop", false);
  docker_.Die("shop", 0);
  docker_.Remove("shop");
  ASSERT_TRUE(AwaitKnown({}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "exited web", "started web", "paused web",
                                     "updated shop", "unpaused shop", "exited shop"));
}

TEST_F(DockerWatchTest, LosesNothingBetweenAcceptanceAndList) {
  docker_.Start("web");
  std::atomic<bool> done = false;
  docker_.OnList([this, &done] {
    if (done.exchange(true)) return;
    docker_.Die("web", 1);
    docker_.Start("late");
    docker_.SetPaused("late", true);
  });
  Watch();

  EXPECT_TRUE(AwaitKnown({"late 101 paused"}));
}

TEST_F(DockerWatchTest, TakesHalfLinesAndGarbageForLoss) {
  WatchAndSync();
  docker_.SetMute(true);
  docker_.Start("missed");
  docker_.SetMute(false);
  docker_.SendRaw("{\"Type\":\"container\",\"Acti\n");
  docker_.SendRaw("garbage\n\xff\xfe\n{}\n");
  docker_.Start("web");

  EXPECT_TRUE(AwaitKnown({"missed 100 running", "web 101 running"}));
}

TEST_F(DockerWatchTest, IsToldAgainWhatItMissedWhileTheStreamWasDown) {
  docker_.Start("db");
  docker_.Start("web");
  WatchAndSync();
  docker_.Refuse(true);
  docker_.EndStreams();
  ASSERT_TRUE(Await([this] { return !IsReady(); }));
  docker_.Die("db", 1);
  docker_.Start("db");
  docker_.Start("new");
  ASSERT_TRUE(Await([this] { return Changes().size() == 3; }));
  docker_.Refuse(false);

  ASSERT_TRUE(AwaitKnown({"db 102 running", "new 103 running", "web 101 running"}));
  ASSERT_TRUE(Await([this] { return IsReady(); }));
  const std::vector<std::string> changes = Changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started web"), 1);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "started db"), 2);
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "exited db"), 1);
}

TEST_F(DockerWatchTest, TellsRepeatedEventsOnce) {
  WatchAndSync();
  docker_.Start("web");
  for (int i = 0; i < 5; ++i) docker_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({"web 100 running"}));
  docker_.SetPaused("web", true);
  for (int i = 0; i < 5; ++i) docker_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({"web 100 paused"}));
  docker_.Die("web", 0);
  for (int i = 0; i < 5; ++i) docker_.RepeatLast();
  ASSERT_TRUE(AwaitKnown({}));
  docker_.Start("last");
  ASSERT_TRUE(AwaitKnown({"last 101 running"}));

  EXPECT_THAT(Changes(), ElementsAre("started web", "paused web", "exited web", "started last"));
}

TEST_F(DockerWatchTest, ShowsHostileLabelsAsTheyAre) {
  docker_.Start("web");
  docker_.SetLabel("web", "name", "not the name");
  docker_.SetLabel("web", "com.docker.compose.project", "a\\b\x1b[2J");
  WatchAndSync();

  const Containers current = hub_.Current();
  ASSERT_EQ(current.containers_size(), 1);
  EXPECT_EQ(current.containers(0).name(), "web");
  EXPECT_EQ(current.containers(0).project().project(), "a\\\\b\x1b[2J");
}

TEST_F(DockerWatchTest, SaysWhyADaemonThatHangsIsNotKnown) {
  call_timeout_ = absl::Milliseconds(30);
  docker_.Answer("/_ping", [](FakeConnection& connection) { connection.AwaitEnd(); });
  Watch();

  ASSERT_TRUE(watcher_->AwaitFirstResult(absl::Now() + kLong));
  const Containers current = hub_.Current();
  EXPECT_EQ(current.engines(0).state(), Engine::degraded);
  EXPECT_EQ(current.engines(0).reason(), "DEADLINE_EXCEEDED: no answer in time");
}

TEST_F(DockerWatchTest, SyncsAThousandContainersInASecond) {
  for (int i = 0; i < 1000; ++i) docker_.Start(absl::StrCat("c", i));
  docker_.SetLatency(absl::Milliseconds(1));
  const absl::Time start = absl::Now();

  WatchAndSync();
  const absl::Duration took = absl::Now() - start;

  EXPECT_EQ(Known().size(), 1000);
  // One list, and one inspection of each but for those whose start is told again meanwhile.
  EXPECT_LE(docker_.Requests("/json"), 1001 + 256);
  // A second on an idle machine; sanitizers and neighbours take their share.
  EXPECT_LT(took, absl::Seconds(10));
  RecordProperty("milliseconds", static_cast<int>(absl::ToInt64Milliseconds(took)));
}

}  // namespace
}  // namespace nsctl::engines::docker
