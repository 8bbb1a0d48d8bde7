#include "engines/container.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsNull;
using ::testing::Pointee;

template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }

TEST(Labels, StayInOrderAndHoldEachNameOnce) {
  Labels labels;

  SetLabel("b", "1", &labels);
  SetLabel("c", "2", &labels);
  SetLabel("a", "3", &labels);
  SetLabel("b", "4", &labels);

  std::vector<std::string> seen;
  for (const Label& label : labels) seen.push_back(label.name() + "=" + label.value());
  EXPECT_THAT(seen, ElementsAre("a=3", "b=4", "c=2"));
  EXPECT_THAT(FindLabel(labels, "c"), Pointee(Eq("2")));
  EXPECT_THAT(FindLabel(labels, "d"), IsNull());
}

TEST(ProjectOf, ReadsComposeSwarmAndPodmanCompose) {
  struct Case {
    const char* name;
    std::vector<std::pair<const char*, const char*>> labels;
    const char* member;
  };
  for (const Case& row : std::vector<Case>{
           {"compose",
            {{"com.docker.compose.project", "shop"},
             {"com.docker.compose.service", "web"},
             {"com.docker.compose.container-number", "2"}},
            "kind: compose project: 'shop' service: 'web' number: 2"},
           {"a number that is none",
            {{"com.docker.compose.project", "shop"},
             {"com.docker.compose.container-number", "99999999999999"}},
            "kind: compose project: 'shop'"},
           {"podman-compose",
            {{"io.podman.compose.project", "shop"}},
            "kind: podman_compose project: 'shop'"},
           {"podman-compose with both",
            {{"io.podman.compose.project", "shop"}, {"com.docker.compose.project", "shop"}},
            "kind: compose project: 'shop'"},
           {"swarm",
            {{"com.docker.stack.namespace", "stack"}, {"com.docker.swarm.service.name", "s_web"}},
            "kind: swarm project: 'stack' service: 's_web'"},
       }) {
    SCOPED_TRACE(row.name);
    Labels labels;
    for (const auto& [name, value] : row.labels) SetLabel(name, value, &labels);

    const std::optional<ProjectMember> member = ProjectOf(labels);

    ASSERT_TRUE(member.has_value());
    EXPECT_EQ(Text(*member), Text(Parse<ProjectMember>(row.member)));
  }
}

TEST(ProjectOf, SaysNothingWithoutAProject) {
  Labels labels;
  SetLabel("com.docker.compose.project", "", &labels);
  SetLabel("com.docker.compose.service", "web", &labels);

  EXPECT_EQ(ProjectOf(labels), std::nullopt);
}

TEST(SortContainers, HasOneOrderForAllInputs) {
  Containers one = Parse<Containers>(R"(
    engines { key: "b" } engines { key: "a" }
    containers { engine: "b" id: "1" } containers { engine: "a" native_namespace: "n" id: "1" }
    containers { engine: "a" id: "2" } containers { engine: "a" id: "1" }
    pods { engine: "b" id: "1" } pods { engine: "a" id: "2" }
    gaps { subject: "b" } gaps { subject: "a" operation: "z" } gaps { subject: "a" operation: "y" }
  )");
  Containers other = Parse<Containers>(R"(
    engines { key: "a" } engines { key: "b" }
    containers { engine: "a" id: "1" } containers { engine: "a" id: "2" }
    containers { engine: "a" native_namespace: "n" id: "1" } containers { engine: "b" id: "1" }
    pods { engine: "a" id: "2" } pods { engine: "b" id: "1" }
    gaps { subject: "a" operation: "y" } gaps { subject: "a" operation: "z" } gaps { subject: "b" }
  )");

  SortContainers(&one);

  EXPECT_EQ(Text(one), Text(other));
}

TEST(MergeViews, MakesOneContainerOfOneProcess) {
  Containers containers = Parse<Containers>(R"(
    engines { key: "c:2" type: containerd } engines { key: "d:1" type: docker }
    containers { engine: "c:2" native_namespace: "moby" id: "abc" name: "abc" pid: 7 start_time: 9
                 runtime: "io.containerd.runc.v2" cgroup: "/docker/abc" state: running }
    containers { engine: "d:1" id: "abc" name: "web" pid: 7 start_time: 9 state: running }
    containers { engine: "c:2" native_namespace: "shop" id: "x" pid: 7 start_time: 10 }
    containers { engine: "d:1" id: "stopped" }
    containers { engine: "c:2" id: "stopped too" }
  )");

  MergeViews(&containers);

  EXPECT_EQ(Text(containers), Text(Parse<Containers>(R"(
    engines { key: "c:2" type: containerd } engines { key: "d:1" type: docker }
    containers { engine: "c:2" id: "stopped too" }
    containers { engine: "c:2" native_namespace: "shop" id: "x" pid: 7 start_time: 10 }
    containers { engine: "d:1" id: "abc" name: "web" state: running pid: 7 start_time: 9
                 runtime: "io.containerd.runc.v2" cgroup: "/docker/abc"
                 views { engine: "d:1" type: docker id: "abc" name: "web" }
                 views { engine: "c:2" type: containerd id: "abc" name: "abc"
                         native_namespace: "moby" } }
    containers { engine: "d:1" id: "stopped" }
  )")));
}

TEST(MergeViews, TakesThePauseThatAnUpperInterfaceDoesNotKnow) {
  Containers containers = Parse<Containers>(R"(
    engines { key: "a" type: cri } engines { key: "b" type: containerd }
    containers { engine: "a" id: "x" pid: 7 state: running }
    containers { engine: "b" id: "x" pid: 7 state: paused }
  )");

  MergeViews(&containers);

  ASSERT_EQ(containers.containers_size(), 1);
  EXPECT_EQ(containers.containers(0).engine(), "a");
  EXPECT_EQ(containers.containers(0).state(), Container::paused);
}

TEST(MergeViews, IsStable) {
  Containers containers = Parse<Containers>(R"(
    engines { key: "a" type: docker } engines { key: "b" type: containerd }
    containers { engine: "a" id: "x" pid: 7 } containers { engine: "b" id: "x" pid: 7 }
  )");
  MergeViews(&containers);
  Containers again = containers;
  again.mutable_containers(0)->clear_views();

  MergeViews(&again);

  EXPECT_EQ(again.containers_size(), 1);
  EXPECT_EQ(Text(again.engines(0)), Text(containers.engines(0)));
}

TEST(StateName, KnowsNumbersOfNewerSchemas) {
  EXPECT_EQ(StateName(Container::paused), "paused");
  EXPECT_EQ(StateName(static_cast<Container::State>(99)), "unknown");
  EXPECT_EQ(TypeName(Engine::podman), "podman");
  EXPECT_EQ(StateName(Engine::ready), "ready");
}

TEST(IsAlive, IsAboutAnInitialProcess) {
  for (int state = Container::State_MIN; state <= Container::State_MAX; ++state) {
    const bool alive = state == Container::starting || state == Container::running ||
                       state == Container::pausing || state == Container::paused ||
                       state == Container::stopping;
    EXPECT_EQ(IsAlive(static_cast<Container::State>(state)), alive) << state;
  }
}

TEST(MergeStopped, LeavesOutWhatKubernetesTellsOfTheSamePlace) {
  auto containers = Parse<Containers>(R"pb(
    engines { key: "containerd:1@1" type: containerd }
    engines {
      key: "containerd:2@1"
      type: containerd
      parent: "containerd:1@1"
      parent_container: "x"
    }
    engines { key: "cri:1@1" type: cri }
    containers { engine: "containerd:1@1" native_namespace: "default" id: "a" state: exited }
    containers { engine: "containerd:1@1" native_namespace: "k8s.io" id: "a" state: exited }
    containers { engine: "containerd:1@1" native_namespace: "k8s.io" id: "b" state: exited }
    containers { engine: "containerd:1@1" native_namespace: "k8s.io" id: "c" state: running pid: 7 }
    containers { engine: "containerd:2@1" native_namespace: "k8s.io" id: "a" state: exited }
    containers { engine: "cri:1@1" id: "a" state: exited }
    containers { engine: "cri:1@1" id: "c" state: running }
  )pb");

  MergeStopped(&containers);

  std::vector<std::string> left;
  for (const Container& one : containers.containers()) {
    left.push_back(one.engine() + "/" + one.native_namespace() + "/" + one.id());
  }
  EXPECT_THAT(left, ElementsAre("containerd:1@1/default/a", "containerd:1@1/k8s.io/b",
                                "containerd:1@1/k8s.io/c", "containerd:2@1/k8s.io/a", "cri:1@1//a",
                                "cri:1@1//c"));
}

}  // namespace
}  // namespace nsctl::engines
