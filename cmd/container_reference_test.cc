#include "cmd/container_reference.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

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
                               "web (paused)", "container web (paused) of podman"},
                      NameCase{"Namespace", R"pb(name: "web"
                                                 native_namespace: "shop"
                                                 engine_type: containerd)pb",
                               "shop/web", "container shop/web of containerd"},
                      NameCase{"UsualNamespace", R"pb(name: "web" native_namespace: "default")pb",
                               "web", "container web"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReferenceTo, CallsUnnamedContainersById) {
  const auto known = Parse<engines::Containers>(R"pb(containers { id: "0123" })pb");

  EXPECT_EQ(ReferenceTo(known, known.containers(0)).name(), "0123");
}

TEST(TimeText, HasNoFractions) {
  EXPECT_EQ(TimeText(Parse<google::protobuf::Timestamp>("seconds: 1735689600 nanos: 999999999")),
            "2025-01-01T00:00:00Z");
}

}  // namespace
}  // namespace nsctl::cmd
