#include "engines/containerd/containerd_messages.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engines/container.h"
#include "engines/containerd/containers.pb.h"
#include "engines/containerd/events.pb.h"
#include "engines/containerd/tasks.pb.h"
#include "engines/containerd/types.pb.h"
#include "engines/engine_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::containerd {
namespace {

using ::containerd::services::tasks::v1::Process;
using ::testing::Contains;
using testing::StatusIs;
using Kind = EngineEvent::Kind;
using Wire = ::containerd::services::containers::v1::Container;

Process Task(int status, uint32_t pid) {
  Process task;
  task.set_id("web");
  task.set_pid(pid);
  task.set_status(status);
  return task;
}

void AddLabel(const std::string& key, const std::string& value, Wire* container) {
  auto* const entry = container->add_labels();
  entry->set_key(key);
  entry->set_value(value);
}

Wire WebContainer() {
  Wire container;
  container.set_id("web");
  container.set_image("docker.io/library/busybox:1");
  container.mutable_runtime()->set_name("io.containerd.runc.v2");
  container.mutable_created_at()->set_seconds(1'700'000'000);
  AddLabel("b", "2", &container);
  AddLabel("a", "1", &container);
  container.mutable_spec()->set_value(
      R"({"annotations":{"note":"x"},"linux":{"cgroupsPath":"/default/web"}})");
  return container;
}

std::string EnvelopeOf(const std::string& topic, const std::string& event) {
  ::containerd::types::Envelope envelope;
  envelope.mutable_timestamp()->set_seconds(1'700'000'000);
  envelope.mutable_timestamp()->set_nanos(5);
  envelope.set_namespace_("shop");
  envelope.set_topic(topic);
  envelope.mutable_event()->set_value(event);
  return envelope.SerializeAsString();
}

std::string ExitOf(const std::string& container, const std::string& process) {
  ::containerd::events::TaskExit exit;
  exit.set_container_id(container);
  exit.set_id(process);
  exit.set_pid(25284);
  exit.set_exit_status(137);
  return EnvelopeOf("/tasks/exit", exit.SerializeAsString());
}

TEST(ContainerdMessages, RowOfARunningContainer) {
  const Process task = Task(2, 4711);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("shop", WebContainer(), &task));

  const Container& container = row.container;
  EXPECT_EQ(container.id(), "web");
  EXPECT_EQ(container.name(), "web");
  EXPECT_EQ(container.native_namespace(), "shop");
  EXPECT_EQ(container.state(), Container::running);
  EXPECT_EQ(container.engine_pid(), 4711);
  EXPECT_EQ(container.image(), "docker.io/library/busybox:1");
  EXPECT_EQ(container.runtime(), "io.containerd.runc.v2");
  EXPECT_EQ(container.cgroup(), "/default/web");
  EXPECT_EQ(container.created_at().seconds(), 1'700'000'000);
  ASSERT_EQ(container.labels_size(), 2);
  EXPECT_EQ(container.labels(0).name(), "a");
  EXPECT_EQ(*FindLabel(container.annotations(), "note"), "x");
  EXPECT_FALSE(container.has_privileged());
  EXPECT_FALSE(row.pod.has_value());
  EXPECT_FALSE(row.partial);
}

TEST(ContainerdMessages, StatesOfTasks) {
  struct Case {
    const char* name;
    int status;
    Container::State state;
    int64_t pid;
  };
  for (const Case& c : {
           Case{"unknown", 0, Container::unknown, 0},
           Case{"created", 1, Container::created, 0},
           Case{"running", 2, Container::running, 7},
           Case{"stopped", 3, Container::exited, 0},
           Case{"paused", 4, Container::paused, 7},
           Case{"pausing", 5, Container::pausing, 7},
           Case{"of a later version", 6, Container::unknown, 0},
           Case{"negative", -1, Container::unknown, 0},
       }) {
    const Process task = Task(c.status, 7);
    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("shop", WebContainer(), &task));
    EXPECT_EQ(row.container.state(), c.state) << c.name;
    EXPECT_EQ(row.container.engine_pid(), c.pid) << c.name;
    EXPECT_EQ(row.partial, c.state == Container::unknown) << c.name;
    EXPECT_EQ(MayBeAlive(task), c.pid != 0 || row.partial) << c.name;
  }
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow taskless, RowOf("shop", WebContainer(), nullptr));
  EXPECT_EQ(taskless.container.state(), Container::exited);
}

TEST(ContainerdMessages, HowATaskEnded) {
  Process task = Task(3, 7);
  task.set_exit_status(137);
  task.mutable_exited_at()->set_seconds(1'700'000'001);
  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("", WebContainer(), &task));
  EXPECT_EQ(row.container.exit_code(), 137);
  EXPECT_EQ(row.container.finished_at().seconds(), 1'700'000'001);

  // Go's zero time, and times that are none.
  for (const int64_t seconds : {int64_t{-62135596800}, std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min()}) {
    task.mutable_exited_at()->set_seconds(seconds);
    Wire container = WebContainer();
    container.mutable_created_at()->set_seconds(seconds);
    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow other, RowOf("", container, &task));
    EXPECT_FALSE(other.container.has_finished_at()) << seconds;
    EXPECT_FALSE(other.container.has_created_at()) << seconds;
  }
}

TEST(ContainerdMessages, NamesOfTools) {
  Wire container = WebContainer();
  AddLabel("nerdctl/name", "shop-web-1", &container);
  AddLabel("com.docker.compose.project", "shop", &container);
  AddLabel("com.docker.compose.service", "web", &container);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("", container, nullptr));

  EXPECT_EQ(row.container.name(), "shop-web-1");
  EXPECT_EQ(row.container.project().project(), "shop");
  EXPECT_EQ(row.container.project().service(), "web");
}

TEST(ContainerdMessages, ASandboxIsOfItsPod) {
  Wire container = WebContainer();
  AddLabel("io.cri-containerd.kind", "sandbox", &container);
  container.mutable_spec()->set_value(
      R"({"annotations":{"io.kubernetes.cri.sandbox-name":"alpha",)"
      R"("io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"u-1"}})");

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("k8s.io", container, nullptr));

  EXPECT_TRUE(row.container.sandbox());
  EXPECT_EQ(row.container.name(), "alpha");
  EXPECT_EQ(row.container.pod(), "web");
  ASSERT_TRUE(row.pod.has_value());
  EXPECT_EQ(row.pod->id(), "web");
  EXPECT_EQ(row.pod->sandbox(), "web");
  EXPECT_EQ(row.pod->name(), "alpha");
  EXPECT_EQ(row.pod->kubernetes_namespace(), "shop");
  EXPECT_EQ(row.pod->uid(), "u-1");
  EXPECT_EQ(row.pod->native_namespace(), "k8s.io");
}

TEST(ContainerdMessages, APodThatIsNotNamedIsNone) {
  for (const char* metadata : {"", "{}", "[]", "\xff", R"({"Metadata":{"SandboxID":7}})"}) {
    Wire container = WebContainer();
    AddLabel("io.cri-containerd.kind", "container", &container);
    auto* const extension = container.add_extensions();
    extension->set_key("io.cri-containerd.container.metadata");
    extension->mutable_value()->set_value(metadata);
    container.mutable_spec()->set_value(metadata);

    NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("k8s.io", container, nullptr));

    EXPECT_FALSE(row.pod.has_value()) << metadata;
    EXPECT_EQ(row.container.name(), "web") << metadata;
  }
}

TEST(ContainerdMessages, KeepsWhatIsNoText) {
  Wire container;
  container.set_id("a\xff\\");
  AddLabel("k\xff", "v\x1b", &container);
  AddLabel("k\xff", "twice", &container);

  NSCTL_ASSERT_OK_AND_ASSIGN(const EngineRow row, RowOf("", container, nullptr));

  EXPECT_EQ(row.container.id(), "a\\xff\\\\");
  ASSERT_EQ(row.container.labels_size(), 1);
  EXPECT_EQ(row.container.labels(0).name(), "k\\xff");
  EXPECT_THAT(RowOf("", Wire(), nullptr), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(ContainerdMessages, EventsOfContainers) {
  ::containerd::events::TaskStart start;
  start.set_container_id("web");
  start.set_pid(25284);
  // The container's id, as the first field.
  const std::string id = "\x0a\x03web";
  struct Case {
    const char* name;
    std::string envelope;
    Kind kind;
  };
  for (const Case& c : {
           Case{"start", EnvelopeOf("/tasks/start", start.SerializeAsString()), Kind::kStarted},
           Case{"exit", ExitOf("web", "web"), Kind::kExited},
           Case{"exit without an id", ExitOf("web", ""), Kind::kExited},
           Case{"exit of an exec", ExitOf("web", "ex1"), Kind::kExecExited},
           Case{"pause", EnvelopeOf("/tasks/paused", id), Kind::kPaused},
           Case{"resume", EnvelopeOf("/tasks/resumed", id), Kind::kUnpaused},
           Case{"update", EnvelopeOf("/containers/update", id), Kind::kUpdated},
           Case{"delete", EnvelopeOf("/containers/delete", id), Kind::kRemoved},
           Case{"a field of a later version", EnvelopeOf("/tasks/paused", id + "\xfa\x01\x01x"),
                Kind::kPaused},
       }) {
    EventReader reader;
    const std::optional<EngineEvent> event = reader.Read(c.envelope);
    ASSERT_TRUE(event.has_value()) << c.name;
    EXPECT_EQ(event->kind, c.kind) << c.name;
    EXPECT_EQ(event->container, (ContainerId{"shop", "web"})) << c.name;
    EXPECT_EQ(event->time, absl::FromUnixNanos(1'700'000'000'000'000'005)) << c.name;
  }
  EventReader reader;
  const std::optional<EngineEvent> exit = reader.Read(ExitOf("web", "web"));
  EXPECT_EQ(exit->exit_code, 137);
  EXPECT_EQ(exit->engine_pid, 25284);
  EXPECT_FALSE(exit->oom_killed.has_value());
}

TEST(ContainerdMessages, ReadsWhatContainerdSends) {
  // Of containerd 1.6.20: topic "/tasks/exit" of an exec, as it came.
  const std::string captured = absl::HexStringToBytes(
      "0a0c08c0ba90d80610b3bfecf202120274311a0b2f7461736b732f6578697422390a1a636f6e7461"
      "696e6572642e6576656e74732e5461736b45786974121b0a026331120365783118efc5012a0c08c0"
      "ba90d80610b3bfecf202");
  EventReader reader;

  const std::optional<EngineEvent> event = reader.Read(captured);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, Kind::kExecExited);
  EXPECT_EQ(event->container, (ContainerId{"t1", "c1"}));
  EXPECT_EQ(event->engine_pid, 25327);
}

TEST(ContainerdMessages, PassesOverOtherTopics) {
  EventReader reader;
  for (const char* topic : {"/tasks/create", "/tasks/exec-added", "/images/create", "", "/tasks"}) {
    EXPECT_FALSE(reader.Read(EnvelopeOf(topic, "\xff")).has_value()) << topic;
  }
}

TEST(ContainerdMessages, TakesHalfMessagesForLoss) {
  EventReader reader;
  for (const std::string& envelope :
       {std::string("\xff"), EnvelopeOf("/tasks/exit", "\x0a\x09web"),
        EnvelopeOf("/tasks/start", ""), EnvelopeOf("/tasks/paused", ""), ExitOf("", "ex1")}) {
    const std::optional<EngineEvent> event = reader.Read(envelope);
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->kind, Kind::kLost);
  }
}

TEST(ContainerdMessages, RemembersMemoryThatRanOutUntilTheEnd) {
  EventReader reader;
  const std::string oom = EnvelopeOf("/tasks/oom", "\x0a\x03web");

  EXPECT_FALSE(reader.Read(oom).has_value());
  EXPECT_FALSE(reader.Read(ExitOf("db", "db"))->oom_killed.has_value());
  EXPECT_FALSE(reader.Read(ExitOf("web", "ex1"))->oom_killed.has_value());
  EXPECT_EQ(reader.Read(ExitOf("web", "web"))->oom_killed, true);
  EXPECT_FALSE(reader.Read(ExitOf("web", "web"))->oom_killed.has_value());
}

TEST(ContainerdMessages, FiltersWhatItWouldLeaveOut) {
  EXPECT_THAT(EventFilters(), Contains("topic==\"/tasks/exit\""));
  EXPECT_THAT(EventFilters(), Contains("topic==\"/containers/update\""));
}

}  // namespace
}  // namespace nsctl::engines::containerd
