#include "cmd/container_reference.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

nsdisc::Snapshot Scene() {
  return Parse<nsdisc::Snapshot>(R"pb(
    processes { pid: 1 }
    processes { pid: 2 container: 0 }
    processes { pid: 3 container: 7 }
    engines { key: "cri:1@1" type: cri }
    containers {
      engine: "cri:1@1"
      native_namespace: "k8s.io"
      id: "main-id"
      name: "main"
      state: paused
      image: "busybox"
      pod: "pod-id"
      project { project: "shop" service: "web" }
    }
    pods { engine: "docker:1@1" native_namespace: "k8s.io" id: "pod-id" name: "other" }
    pods {
      engine: "cri:1@1"
      native_namespace: "k8s.io"
      id: "pod-id"
      name: "alpha"
      kubernetes_namespace: "default"
    })pb");
}

TEST(ContainerReferenceOf, TellsOfTheContainerOfAProcess) {
  const nsdisc::Snapshot snapshot = Scene();

  const auto reference = ContainerReferenceOf(snapshot, snapshot.processes(1));

  ASSERT_TRUE(reference.has_value());
  const auto wanted = Parse<ContainerReference>(R"pb(
    name: "main"
    id: "main-id"
    native_namespace: "k8s.io"
    state: paused
    image: "busybox"
    engine: "cri:1@1"
    engine_type: cri
    project: "shop"
    service: "web"
    pod: "default/alpha")pb");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*reference, wanted))
      << reference->DebugString();
}

TEST(ContainerReferenceOf, TellsOfNone) {
  const nsdisc::Snapshot snapshot = Scene();

  EXPECT_FALSE(ContainerReferenceOf(snapshot, snapshot.processes(0)).has_value());
  EXPECT_FALSE(ContainerReferenceOf(snapshot, snapshot.processes(2)).has_value());
}

struct NameCase {
  const char* name;
  std::string reference;
  std::string name_text;
  std::string long_text;
};

class NameOfContainer : public ::testing::TestWithParam<NameCase> {};

TEST_P(NameOfContainer, IsShort) {
  const auto reference = Parse<ContainerReference>(GetParam().reference);

  EXPECT_EQ(NameText(reference), GetParam().name_text);
  EXPECT_EQ(LongText(reference), GetParam().long_text);
}

INSTANTIATE_TEST_SUITE_P(
    All, NameOfContainer,
    ::testing::Values(NameCase{"Docker", R"pb(name: "web" engine_type: docker)pb", "web",
                               "container web of docker"},
                      NameCase{"Paused", R"pb(name: "web" engine_type: podman state: paused)pb",
                               "web", "container web (paused) of podman"},
                      NameCase{"Namespace", R"pb(name: "web"
                                                 native_namespace: "shop"
                                                 engine_type: containerd)pb",
                               "shop/web", "container shop/web of containerd"},
                      NameCase{"OfAUser", R"pb(name: "web"
                                               engine: "podman:7@8"
                                               engine_type: podman
                                               place: "podman:7")pb",
                               "podman:7/web", "container podman:7/web of podman:7"},
                      NameCase{"Nested", R"pb(name: "web"
                                              native_namespace: "shop"
                                              engine: "containerd:7@8"
                                              engine_type: containerd
                                              place: "dind")pb",
                               "dind/shop/web", "container dind/shop/web of containerd:7"},
                      NameCase{"UsualNamespace", R"pb(name: "web" native_namespace: "default")pb",
                               "web", "container web"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReferenceTo, CallsUnnamedContainersById) {
  const auto known = Parse<engines::Containers>(R"pb(containers { id: "0123" })pb");

  EXPECT_EQ(ReferenceTo(known, known.containers(0)).name(), "0123");
}

TEST(ContainerIdIn, FindsTheLastId) {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  EXPECT_EQ(ContainerIdIn("/system.slice/docker-" + a + ".scope"), a);
  EXPECT_EQ(ContainerIdIn("/docker/" + a + "/docker/" + b), b);
  EXPECT_EQ(ContainerIdIn("/" + a + "a"), "");
  EXPECT_EQ(ContainerIdIn("/user.slice"), "");
  EXPECT_EQ(ContainerIdIn(""), "");
}

// Who owns a container chose its name, and those of what its engine has.
TEST(PlaceOf, TellsOthersContainersFromTheHosts) {
  const auto known = Parse<engines::Containers>(R"pb(
    engines { key: "docker:1@1" type: docker uid: 0 }
    engines { key: "podman:2@1" type: podman uid: 1000 foreign: true }
    engines { key: "docker:3@1" type: docker parent: "docker:1@1" parent_container: "d1" }
    engines { key: "docker:4@1" type: docker parent: "docker:1@1" parent_container: "d2" }
    engines { key: "docker:5@1" type: docker parent: "docker:1@1" parent_container: "gone" }
    engines { key: "docker:6@1" type: docker parent: "docker:1@1" parent_container: "d3" }
    engines { key: "docker:7@1" type: docker parent: "docker:1@1" parent_container: "d4" }
    containers {
      engine: "docker:1@1"
      id: "d1"
      name: "dind"
      project { project: "shop" }
    }
    containers { engine: "docker:1@1" id: "d2" name: "shop" }
    containers { engine: "docker:1@1" id: "d3" name: "podman" }
    containers { engine: "docker:1@1" id: "d4" name: "1234" }
    containers { engine: "podman:2@1" id: "a" }
    containers { engine: "docker:3@1" id: "b" }
    containers { engine: "docker:4@1" id: "c" }
    containers { engine: "docker:5@1" id: "d" }
    containers { engine: "docker:6@1" id: "e" }
    containers { engine: "docker:7@1" id: "f" }
    containers { engine: "other:1@1" id: "g" })pb");

  std::vector<std::string> places;
  for (int i = 3; i < known.containers_size(); ++i) {
    places.push_back(PlaceOf(known, known.containers(i)));
  }

  EXPECT_THAT(places, ElementsAre("", "podman:2", "dind", "docker:4", "docker:5", "docker:6",
                                  "docker:7", ""));
  EXPECT_EQ(EngineText(ReferenceTo(known, known.containers(0))), "docker");
  EXPECT_EQ(EngineText(ReferenceTo(known, known.containers(5))), "docker:3");
}

TEST(OwnerText, SaysWhoseAnEngineIs) {
  EXPECT_EQ(OwnerText(Parse<engines::Engine>("uid: 0")), "");
  EXPECT_EQ(OwnerText(Parse<engines::Engine>("uid: 1000 foreign: true")), ", user 1000");
  EXPECT_EQ(OwnerText(Parse<engines::Engine>("uid: 0 foreign: true")),
            ", in namespaces of its own");
  EXPECT_EQ(OwnerText(Parse<engines::Engine>("foreign: true parent_container: 'a'")), "");
}

TEST(TimeText, HasNoFractions) {
  EXPECT_EQ(TimeText(Parse<google::protobuf::Timestamp>("seconds: 1735689600 nanos: 999999999")),
            "2025-01-01T00:00:00Z");
}

}  // namespace
}  // namespace nsctl::cmd
