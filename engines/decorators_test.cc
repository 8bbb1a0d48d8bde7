#include "engines/decorators.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Two nested Docker engines, and a containerd with namespaces of users, of Kubernetes and of
// Docker's plugins.
Containers Scene() {
  Containers containers;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "containerd:30@1" type: containerd pid: 30 }
        engines { key: "docker:10@1" type: docker pid: 10 }
        engines {
          key: "docker:20@1"
          type: docker
          pid: 20
          parent: "docker:10@1"
          parent_container: "dind-id"
        }
        engines { key: "podman:40@1" type: podman pid: 40 }
        containers {
          engine: "containerd:30@1"
          native_namespace: "default"
          id: "alpha"
          name: "alpha"
          pid: 31
        }
        containers {
          engine: "containerd:30@1"
          native_namespace: "k8s.io"
          id: "main-id"
          name: "main"
          pid: 32
          pod: "pod-id"
        }
        containers {
          engine: "containerd:30@1"
          native_namespace: "plugins.moby"
          id: "plugin-id"
          name: "plugin-id"
          pid: 33
        }
        containers {
          engine: "containerd:30@1"
          native_namespace: "shop"
          id: "gamma"
          name: "gamma"
          pid: 34
          labels { name: "com.docker.compose.project" value: "shop" }
        }
        containers { engine: "docker:10@1" id: "dead-id" name: "dead" state: exited }
        containers { engine: "docker:10@1" id: "dind-id" name: "dind" pid: 11 privileged: true }
        containers {
          engine: "docker:10@1"
          id: "web-id"
          name: "web"
          pid: 12
          labels { name: "com.docker.compose.project" value: "shop" }
          labels { name: "com_mwp_conf_a" }
        }
        containers {
          engine: "docker:20@1"
          id: "inner-id"
          name: "inner"
          pid: 21
          labels { name: "io.x-k8s.kind.cluster" value: "kind" }
        }
        pods {
          engine: "containerd:30@1"
          native_namespace: "k8s.io"
          id: "pod-id"
          name: "alpha"
          kubernetes_namespace: "default"
          uid: "1"
        })pb",
      &containers));
  return containers;
}

TEST(Decorate, NamesContainersAsLxknsDoes) {
  const Containers scene = Scene();

  const Decorations decorations = Decorate(scene);

  std::vector<std::vector<std::string>> shown;
  for (const DecoratedContainer& one : decorations.containers) {
    shown.push_back({one.id, one.name, one.type, one.flavor});
  }
  EXPECT_THAT(
      shown,
      ElementsAre(
          ElementsAre("alpha", "alpha", "containerd.io", "containerd.io"),
          ElementsAre("main-id", "main", "k8s.io/cri-api", "k8s.io/cri-api"),
          ElementsAre("plugins.moby/plugin-id", "plugin-id", "containerd.io", "plugin.docker.com"),
          ElementsAre("shop/gamma", "shop/gamma", "containerd.io", "containerd.io"),
          ElementsAre("dind-id", "dind", "docker.com", "docker.com"),
          ElementsAre("web-id", "web", "docker.com", "com.siemens.industrialedge.app"),
          ElementsAre("inner-id", "inner", "docker.com", "docker.com")));
}

TEST(Decorate, LabelsNestingAndPrivilege) {
  const Containers scene = Scene();

  const Decorations decorations = Decorate(scene);

  EXPECT_THAT(decorations.containers[4].labels,
              ElementsAre(Pair("github.com/thediveo/whalewatcher/moby/privileged", ""),
                          Pair("turtlefinder/container/prefix", "")));
  EXPECT_THAT(decorations.containers[6].labels,
              Contains(Pair("turtlefinder/container/prefix", "dind")));
  EXPECT_THAT(decorations.containers[1].labels, Contains(Pair("io.kubernetes.pod.name", "alpha")));
}

TEST(Decorate, GroupsPerEngine) {
  const Containers scene = Scene();

  const Decorations decorations = Decorate(scene);

  std::vector<std::vector<std::string>> groups;
  std::vector<std::vector<int>> members;
  for (const ContainerGroup& group : decorations.groups) {
    groups.push_back({group.name, group.type, group.flavor});
    members.push_back(group.containers);
  }
  EXPECT_THAT(
      groups,
      ElementsAre(
          ElementsAre("shop", "com.docker.compose.project", "com.docker.compose.project"),
          ElementsAre("default/alpha", "io.kubernetes.pod", "io.kubernetes.pod"),
          ElementsAre("shop", "com.docker.compose.project", "com.siemens.industrialedge.app"),
          ElementsAre("kind", "io.x-k8s.kind.cluster", "io.x-k8s.kind.cluster")));
  EXPECT_THAT(members, ElementsAre(ElementsAre(3), ElementsAre(1), ElementsAre(5), ElementsAre(6)));
  EXPECT_THAT(decorations.containers[5].groups, ElementsAre(2));
  EXPECT_THAT(decorations.containers[0].groups, IsEmpty());
}

TEST(Decorate, GroupsPodsOfPodman) {
  Containers scene;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "docker:10@1" type: docker pid: 10 }
        engines { key: "podman:40@1" type: podman pid: 40 }
        containers {
          engine: "docker:10@1"
          id: "liar"
          name: "liar"
          pid: 11
          labels { name: "io.github.thediveo/podman/podname" value: "shop" }
        }
        containers {
          engine: "podman:40@1"
          id: "infra"
          name: "p1-infra"
          pid: 41
          pod: "p1"
          sandbox: true
        }
        containers { engine: "podman:40@1" id: "web" name: "web" pid: 42 pod: "p1" }
        pods { engine: "podman:40@1" id: "p1" name: "shop" })pb",
      &scene));

  const Decorations decorations = Decorate(scene);

  ASSERT_EQ(decorations.groups.size(), 1);
  EXPECT_EQ(decorations.groups[0].name, "shop");
  EXPECT_EQ(decorations.groups[0].type, "io.podman.pod");
  EXPECT_THAT(decorations.groups[0].containers, ElementsAre(1, 2));
  EXPECT_THAT(decorations.containers[1].labels,
              ElementsAre(Pair("io.github.thediveo/podman/infra", ""),
                          Pair("io.github.thediveo/podman/podid", "p1"),
                          Pair("io.github.thediveo/podman/podname", "shop"),
                          Pair("turtlefinder/container/prefix", "")));
}

TEST(Decorate, HasEnginesThatHaveContainers) {
  const Containers scene = Scene();

  const Decorations decorations = Decorate(scene);

  std::vector<std::string> types;
  std::vector<int> parents;
  for (const DecoratedEngine& engine : decorations.engines) {
    types.push_back(engine.type);
    parents.push_back(engine.parent);
  }
  EXPECT_THAT(types, ElementsAre("containerd.io", "k8s.io/cri-api", "docker.com", "docker.com"));
  EXPECT_THAT(parents, ElementsAre(kNoEngine, kNoEngine, kNoEngine, 2));
  EXPECT_THAT(decorations.engines[0].containers, ElementsAre(0, 2, 3));
  EXPECT_EQ(decorations.containers[1].engine, 1);
}

TEST(Decorate, KnowsProjectsOfIncus) {
  Containers containers;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "incus:10@1" type: incus pid: 10 }
        containers {
          engine: "incus:10@1"
          native_namespace: "default"
          id: "uuid-1"
          name: "web"
          pid: 11
        }
        containers {
          engine: "incus:10@1"
          native_namespace: "shop"
          id: "uuid-2"
          name: "web"
          pid: 12
        }
      )pb",
      &containers));

  const Decorations decorations = Decorate(containers);

  ASSERT_EQ(decorations.containers.size(), 2);
  EXPECT_EQ(decorations.containers[0].name, "web");
  EXPECT_EQ(decorations.containers[1].name, "shop/web");
  EXPECT_EQ(decorations.containers[1].id, "uuid-2");
  EXPECT_EQ(decorations.containers[1].type, "linuxcontainers.org/incus");
  ASSERT_EQ(decorations.groups.size(), 2);
  EXPECT_EQ(decorations.groups[1].type, "linuxcontainers.org/project");
  EXPECT_EQ(decorations.groups[1].name, "shop");
  EXPECT_THAT(decorations.groups[1].containers, ElementsAre(1));
}

TEST(Decorate, EndsWhereEnginesClaimToRunInEachOther) {
  Containers circle = Scene();
  circle.mutable_engines(1)->set_parent("docker:20@1");
  circle.mutable_engines(1)->set_parent_container("inner-id");

  const Decorations decorations = Decorate(circle);

  EXPECT_EQ(decorations.containers.size(), 7u);
}

}  // namespace
}  // namespace nsctl::engines
