#include "engines/cri/cri_messages.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/cri/runtime.pb.h"
#include "engines/engine_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::cri {
namespace {

namespace wire = ::runtime::v1;
using testing::StatusIs;
using Kind = EngineEvent::Kind;

template <typename Entries>
void AddEntry(const std::string& key, const std::string& value, Entries* entries) {
  auto* const entry = entries->Add();
  entry->set_key(key);
  entry->set_value(value);
}

wire::ContainerStatusResponse StatusOf(int state, const std::string& info) {
  wire::ContainerStatusResponse response;
  wire::ContainerStatus& status = *response.mutable_status();
  status.set_id("c001");
  status.mutable_metadata()->set_name("main");
  status.mutable_metadata()->set_attempt(2);
  status.set_state(state);
  status.set_created_at(1'700'000'000'000'000'001);
  status.set_started_at(1'700'000'001'000'000'000);
  status.mutable_image()->set_image("docker.io/library/busybox:1");
  status.set_image_ref("sha256:0123");
  AddEntry("io.kubernetes.container.name", "main", status.mutable_labels());
  AddEntry("io.kubernetes.container.hash", "1", status.mutable_annotations());
  AddEntry("other", "{", response.mutable_info());
  AddEntry("info", info, response.mutable_info());
  return response;
}

TEST(CriMessages, RowOfAListedContainer) {
  wire::Container container;
  container.set_id("c001");
  container.set_pod_sandbox_id("5a4d");
  container.mutable_metadata()->set_name("main");
  container.set_state(1);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOfContainer(container));

  EXPECT_TRUE(row.partial);
  EXPECT_EQ(row.container.name(), "main");
  EXPECT_EQ(row.container.state(), Container::running);
  EXPECT_EQ(row.container.pod(), "5a4d");
  EXPECT_EQ(row.pod->id(), "5a4d");
  EXPECT_THAT(RowOfContainer(wire::Container()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CriMessages, RowOfAListedPod) {
  wire::PodSandbox sandbox;
  sandbox.set_id("5a4d");
  sandbox.mutable_metadata()->set_name("alpha");
  sandbox.mutable_metadata()->set_namespace_("shop");
  sandbox.mutable_metadata()->set_uid("u-1");
  AddEntry("app", "alpha", sandbox.mutable_labels());
  AddEntry("note", "x", sandbox.mutable_annotations());

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOfSandbox(sandbox));

  EXPECT_TRUE(row.partial);
  EXPECT_TRUE(row.container.sandbox());
  EXPECT_EQ(row.container.id(), "5a4d");
  EXPECT_EQ(row.container.name(), "alpha");
  EXPECT_EQ(row.container.state(), Container::running);
  EXPECT_EQ(row.pod->name(), "alpha");
  EXPECT_EQ(row.pod->kubernetes_namespace(), "shop");
  EXPECT_EQ(row.pod->uid(), "u-1");
  EXPECT_EQ(row.pod->sandbox(), "5a4d");
  EXPECT_EQ(*FindLabel(row.pod->labels(), "app"), "alpha");
  EXPECT_EQ(*FindLabel(row.pod->annotations(), "note"), "x");
  EXPECT_THAT(RowOfSandbox(wire::PodSandbox()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CriMessages, RowOfARunningContainer) {
  // As CRI-O says it.
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const EngineRow crio,
      RowOfStatus(StatusOf(1, R"({"sandboxID":"5a4d","pid":4711,"privileged":true,"runtimeSpec":)"
                              R"({"linux":{"cgroupsPath":"kubepods.slice:crio:c001"}}})")));
  EXPECT_FALSE(crio.partial);
  EXPECT_EQ(crio.container.engine_pid(), 4711);
  EXPECT_EQ(crio.container.restart_count(), 2);
  EXPECT_EQ(crio.container.image(), "docker.io/library/busybox:1");
  EXPECT_EQ(crio.container.image_id(), "sha256:0123");
  EXPECT_EQ(crio.container.created_at().nanos(), 1);
  EXPECT_EQ(crio.container.started_at().seconds(), 1'700'000'001);
  EXPECT_TRUE(crio.container.privileged());
  EXPECT_EQ(crio.container.cgroup(), "/kubepods.slice/crio-c001.scope");
  EXPECT_EQ(crio.pod->id(), "5a4d");
  // Labels and annotations apart.
  EXPECT_EQ(crio.container.labels_size(), 1);
  EXPECT_EQ(crio.container.annotations_size(), 1);
  EXPECT_FALSE(crio.container.has_exit_code());

  // As containerd does.
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const EngineRow containerd,
      RowOfStatus(StatusOf(1, R"({"sandboxID":"5a4d","pid":4711,"runtimeType":)"
                              R"("io.containerd.runc.v2","config":{"linux":{"security_context":)"
                              R"({"run_as_user":{}}}}})")));
  EXPECT_EQ(containerd.container.runtime(), "io.containerd.runc.v2");
  EXPECT_TRUE(containerd.container.has_privileged());
  EXPECT_FALSE(containerd.container.privileged());
}

TEST(CriMessages, RowOfWhatEnded) {
  wire::ContainerStatusResponse response = StatusOf(2, R"({"pid":0})");
  response.mutable_status()->set_exit_code(137);
  response.mutable_status()->set_reason("OOMKilled");
  response.mutable_status()->set_finished_at(1'700'000'002'000'000'000);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOfStatus(response));

  EXPECT_EQ(row.container.state(), Container::exited);
  EXPECT_EQ(row.container.exit_code(), 137);
  EXPECT_TRUE(row.container.oom_killed());
  EXPECT_EQ(row.container.finished_at().seconds(), 1'700'000'002);
}

TEST(CriMessages, InformationThatIsNone) {
  for (const char* info : {"", "{", "[]", "\xff", R"({"pid":"7"})", R"({"pid":1e99})"}) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOfStatus(StatusOf(1, info)));
    EXPECT_EQ(row.container.state(), Container::running) << info;
    EXPECT_EQ(row.container.engine_pid(), 0) << info;
    EXPECT_FALSE(row.container.has_privileged()) << info;
  }
  // In no state, with a process: frozen.
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow frozen, RowOfStatus(StatusOf(3, R"({"pid":7})")));
  EXPECT_EQ(frozen.container.state(), Container::running);
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow unknown, RowOfStatus(StatusOf(3, "{}")));
  EXPECT_EQ(unknown.container.state(), Container::unknown);
  EXPECT_THAT(RowOfStatus({}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CriMessages, SandboxesWithAndWithoutAProcess) {
  struct Case {
    const char* name;
    int state;
    const char* info;
    Container::State expected;
    int64_t pid;
  };
  for (const Case& c : {
           Case{"a pause process", 0, R"({"pid":4711})", Container::running, 4711},
           Case{"none", 0, R"({"runtimeSpec":{}})", Container::exited, 0},
           Case{"not ready", 1, R"({"pid":4711})", Container::exited, 0},
           Case{"no information", 0, "", Container::exited, 0},
       }) {
    wire::PodSandboxStatusResponse response;
    response.mutable_status()->set_id("5a4d");
    response.mutable_status()->set_state(c.state);
    AddEntry("info", c.info, response.mutable_info());
    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOfSandboxStatus(response));
    EXPECT_EQ(row.container.state(), c.expected) << c.name;
    EXPECT_EQ(row.container.engine_pid(), c.pid) << c.name;
    EXPECT_EQ(row.pod->id(), "5a4d") << c.name;
  }
  EXPECT_THAT(RowOfSandboxStatus({}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(CriMessages, EventOfAContainer) {
  struct Case {
    const char* name;
    int type;
    std::optional<Kind> kind;
  };
  for (const Case& c : {
           Case{"created", 0, std::nullopt},
           Case{"started", 1, Kind::kStarted},
           Case{"stopped", 2, Kind::kExited},
           Case{"deleted", 3, Kind::kRemoved},
           Case{"of a later version", 4, std::nullopt},
       }) {
    wire::ContainerEventResponse message;
    message.set_container_id("c\xff");
    message.set_container_event_type(c.type);
    message.set_created_at(1'700'000'000'000'000'001);
    message.add_containers_statuses()->set_id("another");
    wire::ContainerStatus& status = *message.add_containers_statuses();
    status.set_id("c\xff");
    status.set_exit_code(3);
    status.set_reason("OOMKilled");

    const std::optional<EngineEvent> event = EventOf(message.SerializeAsString());

    ASSERT_EQ(event.has_value(), c.kind.has_value()) << c.name;
    if (!event.has_value()) continue;
    EXPECT_EQ(event->kind, *c.kind) << c.name;
    EXPECT_EQ(event->container.id, "c\\xff") << c.name;
    EXPECT_EQ(event->time, absl::FromUnixNanos(1'700'000'000'000'000'001)) << c.name;
    EXPECT_EQ(event->exit_code.has_value(), c.kind == Kind::kExited) << c.name;
    EXPECT_EQ(event->oom_killed.value_or(false), c.kind == Kind::kExited) << c.name;
  }
  for (const std::string& message : {std::string("\xff"), std::string()}) {
    EXPECT_EQ(EventOf(message)->kind, Kind::kLost);
  }
}

TEST(CriMessages, TimesThatAreNone) {
  wire::Container container;
  container.set_id("c001");
  for (const int64_t time : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min()}) {
    container.set_created_at(time);
    EXPECT_FALSE(RowOfContainer(container)->container.has_created_at()) << time;
  }
  container.set_created_at(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(RowOfContainer(container)->container.created_at().seconds(), 9'223'372'036);
}

}  // namespace
}  // namespace nsctl::engines::cri
