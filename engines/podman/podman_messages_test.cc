#include "engines/podman/podman_messages.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::podman {
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

TEST(RowOfList, ReadsARowOfPodman) {
  const auto row = RowOfList(Parse(
      R"({"AutoRemove":false,"Command":["/bin/sl"],"Created":"2026-11-23T10:24:11.5Z","Id":"8789",)"
      R"("Image":"localhost/sl:1","ImageID":"12","IsInfra":false,"Labels":null,"Mounts":[],)"
      R"("Names":["p2"],"Namespaces":{"Mnt":"4026535382"},"Networks":[],"Pid":28130,"Pod":"21df",)"
      R"("PodName":"pod1","Restarts":3,"StartedAt":1795431852,"State":"paused","Status":""})"));

  ASSERT_THAT(row, IsOk());
  EXPECT_FALSE(row->partial);
  EXPECT_EQ(row->container.DebugString(), ContainerText(R"(
    id: "8789" name: "p2" state: paused engine_pid: 28130 image: "localhost/sl:1" image_id: "12"
    created_at { seconds: 1795429451 nanos: 500000000 } restart_count: 3 pod: "21df"
  )"));
  ASSERT_TRUE(row->pod.has_value());
  EXPECT_EQ(row->pod->id(), "21df");
  EXPECT_EQ(row->pod->name(), "pod1");
}

TEST(RowOfList, ReadsHowAContainerEnded) {
  const auto exited = RowOfList(
      Parse(R"({"Id":"x","Names":["a"],"State":"exited","ExitCode":3,"ExitedAt":1795431860,)"
            R"("Exited":true,"StartedAt":1795431852,"Pid":0})"));
  const auto created = RowOfList(
      Parse(R"({"Id":"x","Names":["a"],"State":"created","ExitCode":0,"ExitedAt":-62135596800})"));

  ASSERT_THAT(exited, IsOk());
  EXPECT_EQ(exited->container.DebugString(), ContainerText(R"(
    id: "x" name: "a" state: exited exit_code: 3 started_at { seconds: 1795431852 }
    finished_at { seconds: 1795431860 }
  )"));
  ASSERT_THAT(created, IsOk());
  EXPECT_EQ(created->container.DebugString(), ContainerText(R"(id: "x" name: "a" state: created)"));
}

TEST(RowOfList, ReadsTimesOfOlderVersionsAndWhatMayBeMissing) {
  const auto old = RowOfList(Parse(R"({"Id":"x","Names":["a"],"Created":1795431852})"));
  ASSERT_THAT(old, IsOk());
  EXPECT_EQ(old->container.created_at().seconds(), 1795431852);
  for (const char* text : {R"({"Id":"x"})", R"({"Id":"x","Names":null,"Labels":[],"Pid":"7"})",
                           R"({"Id":"x","Names":[],"State":"newer","Restarts":-1})"}) {
    const auto row = RowOfList(Parse(text));

    ASSERT_THAT(row, IsOk()) << text;
    EXPECT_EQ(row->container.DebugString(), ContainerText(R"(id: "x" name: "x")")) << text;
    EXPECT_FALSE(row->pod.has_value());
  }
  EXPECT_THAT(RowOfList(Parse("{}")), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(RowOfList(Parse("null")), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RowOfInspection, ReadsAContainerOfAPod) {
  const auto row = RowOfInspection(Parse(
      R"({"Id":"8789","Created":"2026-11-23T10:24:11.5Z","State":{"Status":"running","Pid":28130,)"
      R"("ConmonPid":28127,"ExitCode":0,"StartedAt":"2026-11-23T10:24:12Z",)"
      R"("FinishedAt":"0001-01-01T00:00:00Z","OOMKilled":false,)"
      R"("CgroupPath":"/libpod_parent/21df/libpod-8789"},"Image":"12","ImageName":"localhost/sl:1",)"
      R"("Name":"p2","RestartCount":0,"OCIRuntime":"runc","Pod":"21df","IsInfra":true,)"
      R"("Config":{"Labels":{"io.podman.compose.project":"shop"}},)"
      R"("HostConfig":{"Privileged":true}})"));

  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->container.DebugString(), ContainerText(R"(
    id: "8789" name: "p2" state: running engine_pid: 28130 image: "localhost/sl:1" image_id: "12"
    created_at { seconds: 1795429451 nanos: 500000000 } started_at { seconds: 1795429452 }
    runtime: "runc" cgroup: "/libpod_parent/21df/libpod-8789" privileged: true
    pod: "21df" sandbox: true labels { name: "io.podman.compose.project" value: "shop" }
    project { kind: podman_compose project: "shop" }
  )"));
}

TEST(RowOfInspection, ReadsOneThatEnded) {
  const auto row = RowOfInspection(
      Parse(R"({"Id":"x","Name":"x","State":{"Status":"exited","Pid":0,"ExitCode":137,)"
            R"("FinishedAt":"2026-11-23T10:24:12Z","OOMKilled":true}})"));

  ASSERT_THAT(row, IsOk());
  EXPECT_EQ(row->container.DebugString(), ContainerText(R"(
    id: "x" name: "x" state: exited exit_code: 137 oom_killed: true privileged: false
    finished_at { seconds: 1795429452 }
  )"));
}

TEST(EventOf, TellsApartWhatHappened) {
  struct Case {
    const char* status;
    std::optional<Kind> kind;
  };
  // What Podman 4.3.1 sent for run, pause, unpause, exec, rename, stop and rm.
  for (const Case& row : {
           Case{"create", std::nullopt},
           Case{"init", std::nullopt},
           Case{"start", Kind::kStarted},
           Case{"pause", Kind::kPaused},
           Case{"unpause", Kind::kUnpaused},
           Case{"exec", std::nullopt},
           Case{"exec_died", Kind::kExecExited},
           Case{"rename", Kind::kUpdated},
           Case{"died", Kind::kExited},
           Case{"cleanup", std::nullopt},
           Case{"remove", Kind::kRemoved},
           Case{"die", Kind::kExited},
           Case{"health_status", std::nullopt},
       }) {
    const auto event = EventOf(Parse(absl::StrCat(
        R"({"status":")", row.status, R"(","id":"8789","Type":"container","Action":")", row.status,
        R"(","Actor":{"ID":"8789","Attributes":{"containerExitCode":"137","name":"p1"}},)"
        R"("scope":"local","time":1795431852,"timeNano":1795431852000000001})")));

    EXPECT_EQ(event.has_value(), row.kind.has_value()) << row.status;
    if (!event.has_value()) continue;
    EXPECT_EQ(event->kind, *row.kind);
    EXPECT_EQ(event->container.id, "8789");
    EXPECT_EQ(event->exit_code, 137);
    EXPECT_EQ(event->time, absl::FromUnixNanos(1795431852000000001));
  }
  EXPECT_EQ(EventOf(Parse(R"({"Type":"pod","Action":"start","Actor":{"ID":"x"}})")), std::nullopt);
  EXPECT_EQ(EventOf(Parse("{}"))->kind, Kind::kLost);
  EXPECT_EQ(EventOf(Parse(R"({"Action":"died","Actor":{}})"))->kind, Kind::kLost);
}

}  // namespace
}  // namespace nsctl::engines::podman
