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
        engines { key: "cri:3@1" type: cri state: degraded }
        engines { key: "docker:1@1" type: docker }
        engines { key: "docker:2@1" type: docker parent: "docker:1@1" parent_container: "d" }
        containers {
          engine: "cri:3@1"
          id: "main"
          state: running
          pod: "p"
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
        pods { engine: "cri:3@1" id: "p" name: "alpha" kubernetes_namespace: "default" })pb",
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
  EXPECT_THAT(Shown({}),
              ElementsAre(ElementsAre("main", "d", "old", "inner"),
                          ElementsAre("cri:3@1", "docker:1@1", "docker:2@1"), ElementsAre("p")));
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
  for (const char* const pod : {"alpha", "default/alpha", "p"}) {
    EXPECT_THAT(Shown({.pods = {pod}})[0], ElementsAre("main")) << pod;
  }
  EXPECT_THAT(Shown({.pods = {"main", "beta/alpha"}})[0], IsEmpty());
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

}  // namespace
}  // namespace nsctl::cmd
