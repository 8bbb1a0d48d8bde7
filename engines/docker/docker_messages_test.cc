#include "engines/docker/docker_messages.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::docker {
namespace {

using testing::IsOk;
using testing::StatusIs;
using Kind = EngineEvent::Kind;

Json Parse(const std::string& text) {
  const auto json = ParseJson(text);
  EXPECT_THAT(json, IsOk()) << text;
  return json.ok() ? *json : Json();
}

std::string ContainerText(const std::string& text) {
  Container container;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &container)) << text;
  return container.DebugString();
}

TEST(RowOfList, ReadsARowOfDocker) {
  const auto row = RowOfList(Parse(
      R"({"Id":"bdde","Names":["/other/web","/web"],"Image":"sl:1","ImageID":"sha256:12",)"
      R"("Command":"/bin/sl 100000","Created":1795431744,"Ports":[],"Labels":)"
      R"({"com.docker.compose.project":"shop","com.docker.compose.service":"web","a":"\u0000"},)"
      R"("State":"paused","Status":"Up 3 seconds [Paused]","HostConfig":{"NetworkMode":"none"},)"
      R"("NetworkSettings":{"Networks":{}},"Mounts":[],"Newer":{"field":[1]}})"));

  ASSERT_THAT(row, IsOk());
  EXPECT_TRUE(row->partial);
  EXPECT_EQ(row->container.DebugString(), ContainerText(R"(
    id: "bdde" name: "web" state: paused image: "sl:1" image_id: "sha256:12"
    created_at { seconds: 1795431744 }
    labels { name: "a" value: "\000" }
    labels { name: "com.docker.compose.project" value: "shop" }
    labels { name: "com.docker.compose.service" value: "web" }
    project { kind: compose project: "shop" service: "web" }
  )"));
}

TEST(RowOfList, ReadsHowAContainerEnded) {
  for (const auto& [status, wanted] :
       {std::pair{"Exited (3) 5 minutes ago", "exit_code: 3"},
        std::pair{"Exited (-1) now", "exit_code: -1"}, std::pair{"Exited (3", "exit_code: 3"},
        std::pair{"Exited ()", ""}, std::pair{"Up", ""}}) {
    const auto row =
        RowOfList(Parse(absl::StrCat(R"({"Id":"x","State":"exited","Status":")", status, "\"}")));

    ASSERT_THAT(row, IsOk());
    EXPECT_EQ(row->container.DebugString(),
              ContainerText(absl::StrCat(R"(id: "x" name: "x" state: exited )", wanted)));
  }
}

TEST(RowOfList, LivesWithoutWhatMayBeMissing) {
  for (const char* text : {R"({"Id":"x"})", R"({"Id":"x","Names":null,"Labels":null,"State":null})",
                           R"({"Id":"x","Names":[],"Labels":[1],"State":7,"Created":"soon"})",
                           R"({"Id":"x","Names":["/a/b",3,"/"],"Created":-1})"}) {
    const auto row = RowOfList(Parse(text));

    ASSERT_THAT(row, IsOk()) << text;
    EXPECT_EQ(row->container.DebugString(), ContainerText(R"(id: "x" name: "x")")) << text;
  }
  for (const char* text : {"{}", "[]", "null", R"({"Id":""})", R"({"Id":7})"}) {
    EXPECT_THAT(RowOfList(Parse(text)), StatusIs(absl::StatusCode::kDataLoss)) << text;
  }
}

TEST(RowOfInspection, ReadsARunningContainer) {
  const auto row = RowOfInspection(Parse(
      R"({"Id":"bdde","Created":"2026-11-23T10:22:24.123456789Z","Name":"/web","RestartCount":2,)"
      R"("Image":"sha256:12","State":{"Status":"running","Running":true,"Paused":false,)"
      R"("OOMKilled":false,"Dead":false,"Pid":25284,"ExitCode":0,"Error":"",)"
      R"("StartedAt":"2026-11-23T10:22:25.5Z","FinishedAt":"0001-01-01T00:00:00Z"},)"
      R"("Config":{"Image":"sl:1","Labels":{"foo":"bar"}},)"
      R"("HostConfig":{"Privileged":true,"Runtime":"runc"}})"));

  ASSERT_THAT(row, IsOk());
  EXPECT_FALSE(row->partial);
  EXPECT_EQ(row->container.DebugString(), ContainerText(R"(
    id: "bdde" name: "web" state: running engine_pid: 25284 image: "sl:1" image_id: "sha256:12"
    created_at { seconds: 1795429344 nanos: 123456789 }
    started_at { seconds: 1795429345 nanos: 500000000 }
    runtime: "runc" privileged: true restart_count: 2 labels { name: "foo" value: "bar" }
  )"));
}

TEST(RowOfInspection, ReadsOneThatEndedAndOneThatRestarts) {
  const auto ended = RowOfInspection(
      Parse(R"({"Id":"x","Name":"/x","State":{"Status":"exited","Pid":0,"ExitCode":137,)"
            R"("OOMKilled":true,"StartedAt":"2026-11-23T10:22:25Z",)"
            R"("FinishedAt":"2026-11-23T10:22:26+00:00"}})"));
  const auto restarts = RowOfInspection(
      Parse(R"({"Id":"x","Name":"/x","State":{"Status":"restarting","Running":true,"Pid":0,)"
            R"("ExitCode":1}})"));

  ASSERT_THAT(ended, IsOk());
  EXPECT_EQ(ended->container.DebugString(), ContainerText(R"(
    id: "x" name: "x" state: exited exit_code: 137 oom_killed: true privileged: false
    started_at { seconds: 1795429345 } finished_at { seconds: 1795429346 }
  )"));
  ASSERT_THAT(restarts, IsOk());
  EXPECT_EQ(restarts->container.DebugString(), ContainerText(R"(
    id: "x" name: "x" state: restarting exit_code: 1 privileged: false
  )"));
}

TEST(EventOf, TellsApartWhatHappened) {
  struct Case {
    const char* action;
    std::optional<Kind> kind;
  };
  for (const Case& row : {
           Case{"start", Kind::kStarted},
           Case{"die", Kind::kExited},
           Case{"pause", Kind::kPaused},
           Case{"unpause", Kind::kUnpaused},
           Case{"rename", Kind::kUpdated},
           Case{"update", Kind::kUpdated},
           Case{"destroy", Kind::kRemoved},
           Case{"exec_die", Kind::kExecExited},
           Case{"exec_create: start", std::nullopt},
           Case{"exec_start: die", std::nullopt},
           Case{"health_status: die", std::nullopt},
           Case{"create", std::nullopt},
           Case{"kill", std::nullopt},
           Case{"stop", std::nullopt},
           Case{"restart", std::nullopt},
           Case{"attach", std::nullopt},
           Case{"newer", std::nullopt},
       }) {
    const auto event = EventOf(Parse(absl::StrCat(
        R"({"Type":"container","Action":")", row.action,
        R"(","Actor":{"ID":"bdde","Attributes":{"name":"n1"}},"timeNano":1795431744777723827})")));

    EXPECT_EQ(event.has_value(), row.kind.has_value()) << row.action;
    if (!event.has_value()) continue;
    EXPECT_EQ(event->kind, *row.kind) << row.action;
    EXPECT_EQ(event->container.id, "bdde");
    EXPECT_EQ(event->time, absl::FromUnixNanos(1795431744777723827));
  }
}

TEST(EventOf, ReadsExitCodesAndTimesThatMakeSense) {
  const auto exit_code_of = [](const std::string& code) {
    return EventOf(Parse(R"({"Action":"die","Actor":{"ID":"x","Attributes":{"exitCode":)" + code +
                         R"(}}})"))
        ->exit_code;
  };
  EXPECT_EQ(exit_code_of(R"("137")"), 137);
  EXPECT_EQ(exit_code_of(R"("-1")"), -1);
  EXPECT_EQ(exit_code_of(R"("4294967296")"), std::nullopt);
  EXPECT_EQ(exit_code_of("null"), std::nullopt);

  const auto time_of = [](const std::string& time) {
    return EventOf(Parse(R"({"Action":"die","Actor":{"ID":"x"},)" + time + "}"))->time;
  };
  EXPECT_EQ(time_of(R"("time":5)"), absl::FromUnixNanos(5'999'999'999));
  EXPECT_EQ(time_of(R"("time":5,"timeNano":5000000001)"), absl::FromUnixNanos(5'000'000'001));
  EXPECT_EQ(time_of(R"("time":-5,"timeNano":-1)"), absl::InfinitePast());
  EXPECT_EQ(time_of(R"("time":9223372036854775807)"), absl::InfinitePast());
  EXPECT_EQ(time_of(R"("time":"now")"), absl::InfinitePast());
}

TEST(EventOf, NoticesThatItIsDamaged) {
  for (const char* text : {"{}", "null", "7", R"({"Action":"start"})",
                           R"({"Action":"start","Actor":{"ID":""}})", R"({"Actor":{"ID":"x"}})"}) {
    const auto event = EventOf(Parse(text));

    ASSERT_TRUE(event.has_value()) << text;
    EXPECT_EQ(event->kind, Kind::kLost) << text;
  }
  EXPECT_EQ(EventOf(Parse(R"({"Type":"network","Action":"die","Actor":{"ID":"x"}})")),
            std::nullopt);
}

TEST(VersionToSpeak, IsTheOlderOfBoth) {
  EXPECT_EQ(VersionToSpeak("1.41"), "1.41");
  EXPECT_EQ(VersionToSpeak("1.24"), "1.24");
  EXPECT_EQ(VersionToSpeak("1.56"), "1.51");
  EXPECT_EQ(VersionToSpeak("1.99999"), "1.51");
  for (const char* version : {"", "1", "1.", ".41", "1.23", "2.0", "1.41.1", "1.-1", "-1.41",
                              "one.two", "1.9999999999", " 1.41", "1.41\r\nX"}) {
    EXPECT_EQ(VersionToSpeak(version), "") << version;
  }
}

}  // namespace
}  // namespace nsctl::engines::docker
