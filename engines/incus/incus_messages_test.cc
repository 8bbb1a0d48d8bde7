#include "engines/incus/incus_messages.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/time.h"
#include "engines/engine_client.h"
#include "engines/json_text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::incus {
namespace {

using testing::IsOk;
using ::testing::Optional;
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

// LXD 5.0.2, shortened.
constexpr char kFrozen[] =
    R"({"architecture":"x86_64","config":{"image.os":"busybox","volatile.uuid":"f165"},"devices":{},)"
    R"("ephemeral":false,"profiles":["default","web"],"stateful":false,"description":"the shop",)"
    R"("created_at":"2026-11-26T11:29:20.117074661Z","expanded_config":{"image.description":)"
    R"("nsx busybox","image.os":"busybox","limits.cpu":"2","raw.lxc":"x","security.privileged":)"
    R"("true","cloud-init.user-data":"secret","user.user-data":"secret","user.role":"web",)"
    R"("volatile.base_image":"26ae","volatile.uuid":"f165"},"name":"priv","status":"Frozen",)"
    R"("status_code":110,"last_used_at":"2026-11-26T11:29:20.309679266Z","location":"none",)"
    R"("type":"container","project":"shop","backups":null,"state":{"status":"Frozen",)"
    R"("status_code":110,"disk":{},"memory":{"usage":409600},"network":null,"pid":12778,)"
    R"("processes":2,"cpu":{"usage":7159520}},"snapshots":null})";

TEST(InstanceOf, ReadsAnInstanceOfLxd) {
  const auto instance = InstanceOf(Parse(kFrozen));

  ASSERT_THAT(instance, IsOk());
  EXPECT_EQ(instance->name, (InstanceName{.project = "shop", .name = "priv"}));
  EXPECT_EQ(instance->location, "");
  EXPECT_FALSE(instance->is_machine);
  EXPECT_FALSE(instance->row.partial);
  EXPECT_EQ(instance->row.container.DebugString(), ContainerText(R"(
    id: "f165" name: "priv" native_namespace: "shop" state: paused engine_pid: 12778
    created_at { seconds: 1795692560 nanos: 117074661 }
    started_at { seconds: 1795692560 nanos: 309679266 }
    image: "nsx busybox" image_id: "26ae" runtime: "lxc" privileged: true
    project { project: "shop" }
    labels { name: "user.role" value: "web" }
    annotations { name: "architecture" value: "x86_64" }
    annotations { name: "description" value: "the shop" }
    annotations { name: "image.description" value: "nsx busybox" }
    annotations { name: "image.os" value: "busybox" }
    annotations { name: "limits.cpu" value: "2" }
    annotations { name: "profiles" value: "default,web" }
    annotations { name: "security.privileged" value: "true" }
    annotations { name: "volatile.base_image" value: "26ae" }
    annotations { name: "volatile.uuid" value: "f165" }
  )"));
}

TEST(InstanceOf, ReadsWhatIncusAdds) {
  const auto instance = InstanceOf(Parse(
      R"({"name":"web","project":"default","type":"container","status_code":103,"location":"node2",)"
      R"("last_used_at":"2026-11-26T11:29:26.964394677Z","config":{"volatile.uuid":"a1",)"
      R"("security.privileged":"0"},"state":{"status_code":103,"pid":13646,"os_info":null,)"
      R"("started_at":"2026-11-26T11:29:26.986292489Z"}})"));

  ASSERT_THAT(instance, IsOk());
  EXPECT_EQ(instance->location, "node2");
  EXPECT_EQ(instance->row.container.DebugString(), ContainerText(R"(
    id: "a1" name: "web" native_namespace: "default" state: running engine_pid: 13646
    started_at { seconds: 1795692566 nanos: 986292489 }
    runtime: "lxc" privileged: false
    project { project: "default" }
    annotations { name: "location" value: "node2" }
    annotations { name: "security.privileged" value: "0" }
    annotations { name: "volatile.uuid" value: "a1" }
  )"));
}

TEST(InstanceOf, LivesWithoutWhatMayBeMissing) {
  for (const char* text :
       {R"({"name":"x"})", R"({"name":"x","config":null,"expanded_config":[],"profiles":null})",
        R"({"name":"x","project":7,"location":[],"status_code":"x","state":null,"profiles":[]})",
        R"({"name":"x","last_used_at":"1970-01-01T00:00:00Z","created_at":"soon"})"}) {
    const auto instance = InstanceOf(Parse(text));

    ASSERT_THAT(instance, IsOk()) << text;
    EXPECT_TRUE(instance->row.partial) << text;
    EXPECT_EQ(instance->row.container.DebugString(), ContainerText(R"(
      id: "x" name: "x" native_namespace: "default" runtime: "lxc"
      project { project: "default" }
    )")) << text;
  }
  const auto mistyped =
      InstanceOf(Parse(R"({"name":"x","config":{"user.a":1,"security.privileged":true}})"));
  ASSERT_THAT(mistyped, IsOk());
  EXPECT_EQ(mistyped->row.container.labels_size(), 0);
  EXPECT_FALSE(mistyped->row.container.privileged());
  for (const char* text : {"{}", "[]", "null", R"({"name":""})", R"({"name":7})"}) {
    EXPECT_THAT(InstanceOf(Parse(text)), StatusIs(absl::StatusCode::kDataLoss)) << text;
  }
}

TEST(InstanceOf, KnowsMachines) {
  const auto instance = InstanceOf(
      Parse(R"({"name":"vm","type":"virtual-machine","status_code":103,"state":{"pid":1}})"));

  ASSERT_THAT(instance, IsOk());
  EXPECT_TRUE(instance->is_machine);
}

TEST(InstanceOf, BelievesNoPidOfWhatDoesNotRun) {
  struct Case {
    int code;
    const char* pid;
    Container::State state;
    int engine_pid;
    bool partial;
  };
  for (const Case& row : {
           Case{102, "77", Container::exited, 0, false},
           Case{102, "-1", Container::exited, 0, false},
           Case{103, "77", Container::running, 77, false},
           Case{103, "-1", Container::running, 0, false},
           Case{103, "0", Container::running, 0, false},
           Case{103, "1e99", Container::running, 0, false},
           Case{106, "77", Container::starting, 77, false},
           Case{110, "77", Container::paused, 77, false},
           Case{113, "77", Container::running, 77, false},
           // The server cannot ask its monitor; of what it says then nothing is believed.
           Case{112, "77", Container::unknown, 0, true},
           Case{999, "77", Container::unknown, 0, true},
       }) {
    const auto instance = InstanceOf(Parse(
        absl::Substitute(R"({"name":"x","status_code":$0,"state":{"status_code":$0,"pid":$1}})",
                         row.code, row.pid)));

    ASSERT_THAT(instance, IsOk());
    EXPECT_EQ(instance->row.container.state(), row.state) << row.code;
    EXPECT_EQ(instance->row.container.engine_pid(), row.engine_pid) << row.code << " " << row.pid;
    EXPECT_EQ(instance->row.partial, row.partial) << row.code;
  }
}

TEST(ServerOf, TellsTheTwo) {
  const auto lxd = ServerOf(Parse(
      R"({"api_version":"1.0","auth":"trusted","environment":{"server":"lxd","server_pid":12107,)"
      R"("server_version":"5.0.2","certificate_fingerprint":"0ec7","server_clustered":false,)"
      R"("server_name":"vm"}})"));
  const auto incus =
      ServerOf(Parse(R"({"auth":"trusted","environment":{"server":"incus","server_clustered":true,)"
                     R"("server_name":"node1"}})"));

  ASSERT_THAT(lxd, IsOk());
  EXPECT_EQ(lxd->engine.type(), Engine::lxd);
  EXPECT_EQ(lxd->engine.id(), "0ec7");
  EXPECT_EQ(lxd->engine.version(), "5.0.2");
  EXPECT_EQ(lxd->engine.api_version(), "1.0");
  EXPECT_EQ(lxd->location, "");
  ASSERT_THAT(incus, IsOk());
  EXPECT_EQ(incus->engine.type(), Engine::incus);
  EXPECT_EQ(incus->location, "node1");
}

TEST(ServerOf, RefusesOthers) {
  for (const char* text : {"{}", "[]", R"({"auth":"trusted"})",
                           R"({"auth":"trusted","environment":{"server":"x"}})"}) {
    EXPECT_THAT(ServerOf(Parse(text)), StatusIs(absl::StatusCode::kUnimplemented)) << text;
  }
  // It says nothing about itself then.
  EXPECT_THAT(ServerOf(Parse(R"({"api_version":"1.0","auth":"untrusted"})")),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(ServerOf(Parse(R"({"environment":{"server":"lxd"}})")),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(EventOf, ReadsEventsOfBoth) {
  // LXD 5.0.2.
  const auto lxd = EventOf(Parse(
      R"({"type":"lifecycle","timestamp":"2026-11-26T11:30:10.729419178Z","metadata":{"action":)"
      R"("instance-started","source":"/1.0/instances/ev1","requestor":{"username":"root",)"
      R"("protocol":"unix","address":"@"}},"location":"none","project":"default"})"));
  // Incus 6.0.4.
  const auto incus = EventOf(Parse(
      R"({"type":"lifecycle","timestamp":"2026-11-26T11:30:18.615122921Z","metadata":{"action":)"
      R"("instance-renamed","source":"/1.0/instances/ev2?project=shop","context":{"old_name":)"
      R"("ev1"},"name":"ev2","project":"shop"},"location":"node1","project":"shop"})"));

  ASSERT_TRUE(lxd.has_value());
  EXPECT_EQ(lxd->kind, Kind::kStarted);
  EXPECT_EQ(absl::ToUnixNanos(lxd->time), 1795692610729419178);
  EXPECT_EQ(lxd->instance, (InstanceName{.project = "default", .name = "ev1"}));
  EXPECT_FALSE(lxd->names_anew);
  EXPECT_EQ(lxd->location, "");
  ASSERT_TRUE(incus.has_value());
  EXPECT_EQ(incus->kind, Kind::kUpdated);
  EXPECT_EQ(incus->instance, (InstanceName{.project = "shop", .name = "ev2"}));
  EXPECT_TRUE(incus->names_anew);
  EXPECT_THAT(incus->old_name, Optional(std::string("ev1")));
  EXPECT_EQ(incus->location, "node1");
}

TEST(EventOf, KnowsWhatHappened) {
  struct Case {
    const char* action;
    Kind kind;
    bool names_anew;
  };
  for (const Case& row : {
           Case{"instance-created", Kind::kRemoved, true},
           Case{"instance-restarted", Kind::kStarted, false},
           Case{"instance-stopped", Kind::kExited, false},
           Case{"instance-shutdown", Kind::kExited, false},
           Case{"instance-paused", Kind::kPaused, false},
           Case{"instance-resumed", Kind::kUnpaused, false},
           Case{"instance-updated", Kind::kUpdated, false},
           Case{"instance-deleted", Kind::kRemoved, true},
           Case{"container-started", Kind::kStarted, false},
       }) {
    const auto event = EventOf(Parse(absl::StrCat(R"({"metadata":{"action":")", row.action,
                                                  R"(","source":"/1.0/containers/web"}})")));

    ASSERT_TRUE(event.has_value()) << row.action;
    EXPECT_EQ(event->kind, row.kind) << row.action;
    EXPECT_EQ(event->names_anew, row.names_anew) << row.action;
    EXPECT_EQ(event->instance, (InstanceName{.project = "default", .name = "web"}));
    EXPECT_EQ(event->time, absl::InfinitePast());
  }
  for (const char* action :
       {"instance-exec", "instance-console", "instance-file-pushed", "instance-snapshot-created",
        "instance-backup-deleted", "image-created", "network-updated", "instance-", "started"}) {
    EXPECT_EQ(EventOf(Parse(absl::StrCat(R"({"metadata":{"action":")", action,
                                         R"(","source":"/1.0/instances/web"}})"))),
              std::nullopt)
        << action;
  }
  EXPECT_EQ(EventOf(Parse(R"({"type":"logging","metadata":{"message":"x"}})")), std::nullopt);
}

TEST(EventOf, TakesWhatHasNoIdentityForLoss) {
  for (const char* text :
       {"{}", "[]", "null", R"({"metadata":null})", R"({"metadata":{"action":7}})",
        R"({"metadata":{"action":"profile-updated","source":"/1.0/profiles/default"}})",
        R"({"metadata":{"action":"instance-started"}})",
        R"({"metadata":{"action":"instance-started","source":"/1.0/instances/"}})",
        R"({"metadata":{"action":"instance-started","source":"/1.0/instances/a/b"}})",
        R"({"metadata":{"action":"instance-started","source":"elsewhere"}})"}) {
    const auto event = EventOf(Parse(text));

    ASSERT_TRUE(event.has_value()) << text;
    EXPECT_EQ(event->kind, Kind::kLost) << text;
  }
}

TEST(EventOf, ReadsNamesAsPathsHaveThem) {
  struct Case {
    const char* source;
    const char* project;
    const char* name;
  };
  for (const Case& row : {
           Case{"/1.0/instances/a?project=my+shop", "my shop", "a"},
           Case{"/1.0/instances/a?x=y&project=my%20shop", "my shop", "a"},
           Case{"/1.0/instances/a?project=", "default", "a"},
           Case{"/1.0/instances/a%2fb", "default", "a/b"},
           Case{"/1.0/instances/a%ff", "default", "a\\xff"},
           Case{"/1.0/instances/a%", "default", "a%"},
           Case{"/1.0/instances/a%zz+", "default", "a%zz+"},
       }) {
    const auto event = EventOf(Parse(absl::StrCat(
        R"({"metadata":{"action":"instance-started","source":")", row.source, "\"}}")));

    ASSERT_TRUE(event.has_value()) << row.source;
    EXPECT_EQ(event->instance, (InstanceName{.project = row.project, .name = row.name}))
        << row.source;
  }
}

TEST(InstancePath, LeadsNowhereElse) {
  EXPECT_THAT(InstancePath({.project = "shop", .name = "web"}),
              Optional(std::string("/1.0/instances/web?project=shop")));
  EXPECT_THAT(InstancePath({.project = "a&b", .name = "w?b"}, "/state"),
              Optional(std::string("/1.0/instances/w%3Fb/state?project=a%26b")));
  for (const char* name : {"", ".", "..", "a/b", "\\q"}) {
    EXPECT_EQ(InstancePath({.project = "shop", .name = name}), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace nsctl::engines::incus
