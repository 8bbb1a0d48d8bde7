#include "cmd/containers_result.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

engines::Containers Scene() {
  engines::Containers containers;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "cri:3@1" type: cri state: ready }
        engines { key: "docker:1@1" type: docker state: ready }
        engines {
          key: "docker:2@1"
          type: docker
          state: ready
          parent: "docker:1@1"
          parent_container: "d"
        }
        containers {
          engine: "cri:3@1"
          id: "main"
          state: running
          pod: "p1234567890abcdef"
          labels { name: "app" value: "x" }
        }
        containers { engine: "docker:1@1" id: "d" state: running }
        containers { engine: "docker:1@1" id: "old" state: exited }
        containers {
          engine: "docker:2@1"
          id: "inner"
          state: paused
          labels { name: "app" value: "" }
          project { project: "shop" }
        }
        pods { engine: "cri:3@1" id: "other" name: "main" }
        pods {
          engine: "cri:3@1"
          id: "p1234567890abcdef"
          name: "alpha"
          kubernetes_namespace: "default"
          uid: "11111111-1111"
        })pb",
      &containers));
  return containers;
}

// The ids of containers, then the keys of engines, then the ids of pods.
std::vector<std::vector<std::string>> Shown(const ContainerFilter& filter) {
  const engines::Containers scene = Scene();
  const ContainerList list = BuildContainerList(scene, filter);
  std::vector<std::vector<std::string>> shown(3);
  for (const auto& container : list.containers()) shown[0].push_back(container.id());
  for (const auto& engine : list.engines()) shown[1].push_back(engine.key());
  for (const auto& pod : list.pods()) shown[2].push_back(pod.id());
  return shown;
}

TEST(BuildContainerList, TakesEnginesAsTheyAreShown) {
  for (const char* word : {"cri", "cri:3@1", "cri:3"}) {
    EXPECT_THAT(Shown({.engines = {word}})[0], ElementsAre("main")) << word;
  }
  EXPECT_THAT(Shown({.engines = {"cri:"}})[0], IsEmpty());
}

TEST(BuildContainerList, HasAllWithoutAFilter) {
  EXPECT_THAT(Shown({}), ElementsAre(ElementsAre("main", "d", "old", "inner"),
                                     ElementsAre("cri:3@1", "docker:1@1", "docker:2@1"),
                                     ElementsAre("p1234567890abcdef")));
}

TEST(BuildContainerList, KeepsTheEnginesAround) {
  EXPECT_THAT(
      Shown({.projects = {"shop"}}),
      ElementsAre(ElementsAre("inner"), ElementsAre("docker:1@1", "docker:2@1"), IsEmpty()));
}

TEST(BuildContainerList, FiltersByEngine) {
  EXPECT_THAT(Shown({.engines = {"docker"}})[0], ElementsAre("d", "old", "inner"));
  EXPECT_THAT(Shown({.engines = {"docker:2@1", "cri"}})[0], ElementsAre("main", "inner"));
}

TEST(BuildContainerList, FiltersByPod) {
  for (const char* const pod :
       {"alpha", "default/alpha", "p1234567890abcdef", "p1234567890a", "11111111-1111"}) {
    EXPECT_THAT(Shown({.pods = {pod}})[0], ElementsAre("main")) << pod;
  }
  EXPECT_THAT(Shown({.pods = {"main", "beta/alpha", "p1234567890", "1111"}})[0], IsEmpty());
}

TEST(BuildContainerList, FiltersByStateAndLabels) {
  EXPECT_THAT(Shown({.states = {engines::Container::paused, engines::Container::exited}})[0],
              ElementsAre("old", "inner"));
  EXPECT_THAT(Shown({.labels = {{"app", std::nullopt}}})[0], ElementsAre("main", "inner"));
  EXPECT_THAT(Shown({.labels = {{"app", ""}}})[0], ElementsAre("inner"));
  EXPECT_THAT(Shown({.labels = {{"app", "x"}, {"tier", std::nullopt}}})[0], IsEmpty());
}

TEST(BuildContainerList, HasAllEnginesWhereTheyAreWanted) {
  EXPECT_THAT(
      Shown({.states = {engines::Container::dead}, .all_engines = true}),
      ElementsAre(IsEmpty(), ElementsAre("cri:3@1", "docker:1@1", "docker:2@1"), IsEmpty()));
  EXPECT_THAT(
      Shown({.engines = {"cri"}, .states = {engines::Container::dead}, .all_engines = true})[1],
      ElementsAre("cri:3@1"));
}

TEST(BuildContainerList, HasEnginesThatDidNotTell) {
  engines::Containers scene = Scene();
  scene.mutable_engines(0)->set_state(engines::Engine::connecting);

  const ContainerList list = BuildContainerList(scene, {.projects = {"shop"}});
  ASSERT_EQ(list.engines_size(), 3);
  EXPECT_EQ(list.engines(0).key(), "cri:3@1");
  EXPECT_EQ(BuildContainerList(scene, {.engines = {"docker:2"}}).engines_size(), 2);
}

TEST(BuildContainerList, KnowsWhoseHelperShowsAContainer) {
  engines::Containers scene;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "docker:1@1" type: docker }
        engines { key: "evidence" type: evidence }
        engines { key: "evidence:7@1" type: evidence parent: "docker:1@1" parent_container: "d" }
        containers {
          engine: "evidence"
          id: "box"
          annotations { name: "nsctl.evidence.engine" value: "nspawn" }
        }
        containers { engine: "evidence" id: "other" }
        containers {
          engine: "evidence:7@1"
          id: "inner"
          annotations { name: "nsctl.evidence.engine" value: "nspawn" }
        })pb",
      &scene));

  const ContainerList list = BuildContainerList(scene, {.engines = {"nspawn"}});
  ASSERT_EQ(list.containers_size(), 1);
  EXPECT_EQ(list.containers(0).id(), "box");
}

// An engine that is not asked for is not waited for, unless it may tell whose a container is, or
// what is asked for may be known by evidence.
TEST(HaveTold, LooksAtThoseThatAreAskedFor) {
  engines::Containers scene;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "containerd:3@1" type: containerd state: ready }
        engines { key: "docker:1@1" type: docker state: connecting }
        engines { key: "evidence" type: evidence state: connecting }
        engines { key: "podman:2@1" type: podman state: ready }
      )pb",
      &scene));
  const auto have_told = [&scene](const std::string& word) {
    return HaveTold(scene, {.engines = {word}});
  };

  EXPECT_FALSE(HaveTold(scene, {}));
  EXPECT_TRUE(have_told("podman"));
  EXPECT_TRUE(have_told("podman:2"));
  EXPECT_TRUE(MayMatter(scene, {.engines = {"nspawn"}}, "evidence"));
  EXPECT_FALSE(MayMatter(scene, {.engines = {"podman"}}, "evidence"));
  EXPECT_FALSE(have_told("docker"));
  EXPECT_FALSE(have_told("containerd"));
  EXPECT_FALSE(have_told("nspawn"));
  EXPECT_FALSE(have_told("evidence"));
  // Another of the type is another engine.
  engines::Engine& other = *scene.add_engines();
  other.set_key("docker:9@1");
  other.set_type(engines::Engine::docker);
  other.set_state(engines::Engine::ready);
  EXPECT_TRUE(have_told("docker:9"));
  scene.mutable_engines(1)->set_state(engines::Engine::degraded);
  EXPECT_TRUE(have_told("docker"));
  EXPECT_TRUE(have_told("containerd"));

  EXPECT_FALSE(MayMatter(scene, {.engines = {"podman"}}, "docker:1@1"));
  EXPECT_TRUE(MayMatter(scene, {.engines = {"containerd"}}, "docker:1@1"));
  EXPECT_FALSE(MayMatter(scene, {.engines = {"docker"}}, "containerd:3@1"));
  EXPECT_TRUE(MayMatter(scene, {.engines = {"docker"}}, "docker:1@1"));
  EXPECT_TRUE(MayMatter(scene, {.engines = {"docker"}}, "/run/other.sock"));
  EXPECT_TRUE(MayMatter(scene, {}, "docker:1@1"));
}

}  // namespace
}  // namespace nsctl::cmd
