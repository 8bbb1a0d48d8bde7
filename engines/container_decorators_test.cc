#include "engines/container_decorators.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

Pod AlphaPod() {
  return Parse<Pod>(R"pb(
    id: "dacb"
    name: "alpha"
    kubernetes_namespace: "default"
    uid: "1111"
    labels { name: "app" value: "alpha" }
    annotations { name: "nsx.sandbox.net" value: "host" })pb");
}

// The labels of pod default/alpha as lxkns 0.46 showed them.
TEST(AddPodLabels, GivesContainersTheNamesOfTheirPod) {
  LabelMap labels = {{"io.kubernetes.pod.name", "stale"}};

  AddPodLabels(Parse<Container>(R"pb(id: "3aff" name: "alpha-main")pb"), AlphaPod(), &labels);

  EXPECT_THAT(labels, ElementsAre(Pair("io.kubernetes.container.name", "alpha-main"),
                                  Pair("io.kubernetes.pod.name", "alpha"),
                                  Pair("io.kubernetes.pod.namespace", "default"),
                                  Pair("io.kubernetes.pod.uid", "1111")));
}

TEST(AddPodLabels, GivesSandboxesAllOfTheirPod) {
  LabelMap labels;

  AddPodLabels(Parse<Container>(R"pb(id: "dacb" sandbox: true)pb"), AlphaPod(), &labels);

  EXPECT_THAT(
      labels,
      ElementsAre(Pair("app", "alpha"), Pair("io.kubernetes.annotation/nsx.sandbox.net", "host"),
                  Pair("io.kubernetes.container.name", "dacb"),
                  Pair("io.kubernetes.pod.name", "alpha"),
                  Pair("io.kubernetes.pod.namespace", "default"),
                  Pair("io.kubernetes.pod.uid", "1111"), Pair("io.kubernetes.sandbox", "")));
}

TEST(AddPodLabels, LeavesPodsOfOthersAlone) {
  Pod pod = AlphaPod();
  pod.clear_kubernetes_namespace();
  LabelMap labels;

  AddPodLabels({}, pod, &labels);

  EXPECT_THAT(labels, IsEmpty());
}

TEST(AddDockershimLabels, ReadsNames) {
  LabelMap container;
  AddDockershimLabels("k8s_web_shop-1.a_default_uid-1_0", &container);
  LabelMap sandbox;
  AddDockershimLabels("k8s_POD_shop_default_uid-1_3", &sandbox);

  EXPECT_THAT(container, ElementsAre(Pair("io.kubernetes.container.name", "web"),
                                     Pair("io.kubernetes.pod.name", "shop-1.a"),
                                     Pair("io.kubernetes.pod.namespace", "default"),
                                     Pair("io.kubernetes.pod.uid", "uid-1")));
  EXPECT_THAT(sandbox, ElementsAre(Pair("io.kubernetes.container.name", "POD"),
                                   Pair("io.kubernetes.pod.name", "shop"),
                                   Pair("io.kubernetes.pod.namespace", "default"),
                                   Pair("io.kubernetes.pod.uid", "uid-1"),
                                   Pair("io.kubernetes.sandbox", "")));
}

TEST(AddDockershimLabels, ReadsNothingElse) {
  for (const std::string& name :
       {std::string("web"), std::string("k8s_web_shop_default_uid"),
        std::string("k8s_web_shop_default_uid_0_1"), std::string("x8s_web_shop_default_uid_0"),
        std::string("k8s_Web_shop_default_uid_0"), std::string("k8s_web_-shop_default_uid_0"),
        std::string("k8s_web_shop..a_default_uid_0"), std::string("k8s__shop_default_uid_0"),
        std::string("k8s_web_shop_") + std::string(64, 'a') + "_uid_0",
        std::string("k8s_web_shop_a.b_uid_0")}) {
    LabelMap labels;
    AddDockershimLabels(name, &labels);
    EXPECT_THAT(labels, IsEmpty()) << name;
  }
}

TEST(PodInLabels, NeedsBothNames) {
  EXPECT_EQ(PodInLabels({{"io.kubernetes.pod.name", "a"}, {"io.kubernetes.pod.namespace", "b"}}),
            "b/a");
  EXPECT_EQ(PodInLabels({{"io.kubernetes.pod.name", "a"}}), std::nullopt);
  EXPECT_EQ(PodInLabels({{"io.kubernetes.pod.namespace", "b"}}), std::nullopt);
}

struct DevcontainerCase {
  const char* name;
  std::string folder;
  std::string metadata;
  std::string devcontainer;
  std::string codespace;
};

class DevcontainerLabels : public ::testing::TestWithParam<DevcontainerCase> {};

TEST_P(DevcontainerLabels, GiveNames) {
  const DevcontainerCase& row = GetParam();
  LabelMap labels;
  if (!row.folder.empty()) labels["devcontainer.local_folder"] = row.folder;
  if (!row.metadata.empty()) labels["devcontainer.metadata"] = row.metadata;

  AddDevcontainerLabels(&labels);

  EXPECT_EQ(labels["lxkns.devcontainer.name"], row.devcontainer);
  EXPECT_EQ(labels["lxkns.codespace.name"], row.codespace);
}

INSTANTIATE_TEST_SUITE_P(
    All, DevcontainerLabels,
    ::testing::Values(
        DevcontainerCase{"None", "", "", "", ""},
        DevcontainerCase{"Folder", "/home/ann/shop", "", "shop", ""},
        DevcontainerCase{"FolderWithSlash", "/home/ann/shop/", "", "shop", ""},
        DevcontainerCase{
            "Codespace", "/workspaces/x",
            R"([{"id":"a"},{"containerEnv":{"CODESPACES":"true","RepositoryName":"shop"}}])", "x",
            "shop"},
        DevcontainerCase{"OneObject", "",
                         R"({"containerEnv":{"CODESPACES":"true","RepositoryName":"shop"}})", "",
                         "shop"},
        DevcontainerCase{"NoCodespace", "",
                         R"([{"containerEnv":{"CODESPACES":"false","RepositoryName":"shop"}}])", "",
                         ""},
        DevcontainerCase{"NoRepository", "", R"([{"containerEnv":{"CODESPACES":"true"}}])", "", ""},
        DevcontainerCase{"NotJson", "", "[{", "", ""},
        DevcontainerCase{"OtherTypes", "", R"([1,null,{"containerEnv":["CODESPACES"]}])", "", ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DockerPluginName, IsThatOfTheBundle) {
  EXPECT_EQ(
      DockerPluginName(Parse<Container>(R"pb(
        native_namespace: "plugins.moby"
        id: "abc"
        labels { name: "com.docker/engine.bundle.path" value: "/run/docker/plugins/sshfs" })pb")),
      "sshfs");
  EXPECT_EQ(DockerPluginName(Parse<Container>(R"pb(native_namespace: "plugins.moby" id: "abc")pb")),
            "abc");
  EXPECT_EQ(DockerPluginName(Parse<Container>(R"pb(native_namespace: "moby" id: "abc")pb")),
            std::nullopt);
}

TEST(EdgeFlavor, KnowsRuntimeAndApps) {
  EXPECT_EQ(EdgeFlavor(Parse<Container>(R"pb(name: "edge-iot-core")pb")), kEdgeRuntime);
  EXPECT_EQ(EdgeFlavor(Parse<Container>(R"pb(name: "a"
                                             labels { name: "com_mwp_conf_x" })pb")),
            kEdgeApp);
  EXPECT_EQ(EdgeFlavor(Parse<Container>(R"pb(name: "a"
                                             labels { name: "com_mwp" })pb")),
            std::nullopt);
}

}  // namespace
}  // namespace nsctl::engines
