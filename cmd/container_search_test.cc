#include "cmd/container_search.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::testing::StatusIs;

// Where `silent`, containerd has not answered.
engines::Containers Scene(bool silent = false) {
  engines::Containers containers;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "containerd:3@1" type: containerd state: ready }
        engines { key: "docker:1@1" type: docker state: ready }
        engines { key: "podman:2@1" type: podman state: ready }
        engines { key: "evidence" type: evidence state: ready }
        engines {
          key: "docker:9@1"
          type: docker
          state: ready
          parent: "docker:1@1"
          parent_container: "aaaaaaaaaaaa0002"
        }
        containers { engine: "docker:9@1" id: "aaaaaaaaaaaa0001" name: "lab" pid: 60 }
        containers { engine: "docker:9@1" id: "999999999999" name: "shop-web-1" pid: 61 }
        containers { engine: "evidence" id: "888888888888" name: "lx" pid: 62 }
        containers { engine: "evidence" id: "aaaaaaaaaaaa0004" name: "fake" pid: 63 }
        containers {
          engine: "containerd:3@1"
          native_namespace: "k8s.io"
          id: "ffffffffffff0001"
          name: "main"
          pid: 50
          pod: "eeeeeeeeeeee0001"
        }
        containers {
          engine: "containerd:3@1"
          native_namespace: "shop"
          id: "gamma"
          name: "gamma"
          pid: 51
        }
        containers {
          engine: "docker:1@1"
          id: "aaaaaaaaaaaa0001"
          name: "shop-web-1"
          pid: 20
          start_time: 7
          pidfd_inode: 99
          project { project: "shop" service: "web" }
          views { engine: "docker:1@1" type: docker id: "aaaaaaaaaaaa0001" name: "shop-web-1" }
          views {
            engine: "containerd:3@1"
            type: containerd
            id: "cccccccccccc0001"
            name: "cccccccccccc0001"
            native_namespace: "moby"
          }
        }
        containers {
          engine: "docker:1@1"
          id: "aaaaaaaaaaaa0002"
          name: "shop-web-2"
          pid: 21
          project { project: "shop" service: "web" }
        }
        containers { engine: "docker:1@1" id: "aaaaaaaaaaaa0003" name: "db" state: exited }
        containers { engine: "docker:1@1" id: "aaaaaaaaaaaa0004" name: "one" pid: 22 }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0001" name: "db" pid: 30 }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0002" name: "one" pid: 31 }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0003" name: "a/b\\\\" pid: 32 }
        pods {
          engine: "containerd:3@1"
          native_namespace: "k8s.io"
          id: "eeeeeeeeeeee0001"
          name: "alpha"
          kubernetes_namespace: "default"
        })pb",
      &containers));
  if (silent) {
    containers.mutable_engines(0)->set_state(engines::Engine::degraded);
    containers.mutable_engines(0)->set_reason("no\\x0aanswer");
  }
  return containers;
}

absl::StatusOr<std::string> Find(const std::string& word, bool silent = false) {
  const absl::StatusOr<Target> target = ParseTarget(word);
  EXPECT_TRUE(target.ok() && IsContainer(*target)) << word;
  const engines::Containers scene = Scene(silent);
  const auto found = FindContainer(scene, *target);
  if (!found.ok()) return found.status();
  return (*found)->id();
}

struct WordCase {
  const char* name;
  std::string word;
  std::string id;
};

class ContainerWord : public ::testing::TestWithParam<WordCase> {};

TEST_P(ContainerWord, NamesOne) {
  const absl::StatusOr<std::string> found = Find(GetParam().word);

  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, GetParam().id);
}

INSTANTIATE_TEST_SUITE_P(
    All, ContainerWord,
    ::testing::Values(WordCase{"Name", "container:shop-web-1", "aaaaaaaaaaaa0001"},
                      WordCase{"NameOfTheLiving", "container:db", "bbbbbbbbbbbb0001"},
                      WordCase{"DeadOne", "docker/db", "aaaaaaaaaaaa0003"},
                      WordCase{"Engine", "podman/one", "bbbbbbbbbbbb0002"},
                      WordCase{"EngineKey", "docker\\x3a1@1/one", "aaaaaaaaaaaa0004"},
                      WordCase{"EngineKeyAsShown", "docker:1@1/one", "aaaaaaaaaaaa0004"},
                      WordCase{"EngineByItsPid", "docker:1/one", "aaaaaaaaaaaa0004"},
                      WordCase{"Project", "shop/shop-web-2", "aaaaaaaaaaaa0002"},
                      WordCase{"EngineAndProject", "docker/shop/shop-web-2", "aaaaaaaaaaaa0002"},
                      WordCase{"Pod", "alpha/main", "ffffffffffff0001"},
                      WordCase{"KubernetesNamespace", "default/alpha/main", "ffffffffffff0001"},
                      WordCase{"NativeNamespace", "shop/gamma", "gamma"},
                      WordCase{"Whole", "container:containerd/shop/gamma", "gamma"},
                      WordCase{"Id", "container:aaaaaaaaaaaa0001", "aaaaaaaaaaaa0001"},
                      WordCase{"IdPrefix", "bbbbbbbbbbbb0002", "bbbbbbbbbbbb0002"},
                      WordCase{"IdOfOtherView", "cccccccccccc", "aaaaaaaaaaaa0001"},
                      WordCase{"OtherView", "containerd/moby/cccccccccccc0001", "aaaaaaaaaaaa0001"},
                      WordCase{"Nested", "shop-web-2/lab", "aaaaaaaaaaaa0001"},
                      WordCase{"NestedByItsId", "aaaaaaaaaaaa0002/999999999999", "999999999999"},
                      WordCase{"NestedByKey", "docker\\x3a9@1/shop-web-1", "999999999999"},
                      WordCase{"Evidence", "evidence/lx", "888888888888"},
                      WordCase{"NotTheEvidence", "aaaaaaaaaaaa0004", "aaaaaaaaaaaa0004"},
                      WordCase{"NameWithSlash", "container:a/b\\\\", "bbbbbbbbbbbb0003"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(FindContainer, ListsCandidates) {
  EXPECT_THAT(Find("container:one").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "container:one means 2 containers: docker:1/one (aaaaaaaaaaaa, PID 22), "
                       "podman/one (bbbbbbbbbbbb, PID 31)"));
  EXPECT_THAT(Find("shop/web").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "shop/web means 2 containers: docker:1/shop/shop-web-1 (aaaaaaaaaaaa, PID "
                       "20), docker:1/shop/shop-web-2 (aaaaaaaaaaaa, PID 21)"));
  EXPECT_THAT(
      Find("aaaaaaaaaaaa").status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "aaaaaaaaaaaa means 3 containers: docker:1/shop/shop-web-1 (aaaaaaaaaaaa, PID "
               "20), docker:1/shop/shop-web-2 (aaaaaaaaaaaa, PID 21), docker:1/one "
               "(aaaaaaaaaaaa, PID 22)"));
}

TEST(FindContainer, NamesAProjectOfTheEnginesOwnOnce) {
  engines::Containers containers;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "lxd:1@1" type: lxd }
        containers {
          engine: "lxd:1@1"
          id: "df89765d-641c-4c0c-952f-a04e0b2fd05d"
          name: "web"
          native_namespace: "default"
          pid: 10
          project { project: "default" }
        }
        containers {
          engine: "lxd:1@1"
          id: "f1d80a93-4417-4042-b11c-c879b9e1a389"
          name: "web"
          native_namespace: "shop"
          pid: 11
          project { project: "shop" }
        })pb",
      &containers));

  EXPECT_THAT(FindContainer(containers, *ParseTarget("lxd/web")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "lxd/web means 2 containers: lxd/default/web (df89765d-641, PID 10), "
                       "lxd/shop/web (f1d80a93-441, PID 11)"));
  for (const char* word :
       {"lxd/shop/web", "shop/web", "f1d80a93-441", "f1d80a93-4417-4042-b11c-c879b9e1a389"}) {
    const auto found = FindContainer(containers, *ParseTarget(word));
    ASSERT_TRUE(found.ok()) << word << found.status();
    EXPECT_EQ((*found)->pid(), 11) << word;
  }
}

TEST(FindContainer, SaysWhoDidNotTell) {
  for (const char* const word :
       {"container:nobody", "podman/shop-web-1", "other/db", "beta/main", "docker/shop/db"}) {
    EXPECT_THAT(Find(word, true).status(),
                StatusIs(absl::StatusCode::kNotFound,
                         "no container " + std::string(word) +
                             "; not all was told by containerd:3@1 (degraded: no\\x0aanswer)"));
  }
  EXPECT_THAT(FindContainer(engines::Containers(), ContainerTarget{.engine = "", .name = "web"}),
              StatusIs(absl::StatusCode::kNotFound,
                       "no container container:web: no container engine was found"));
}

// Whoever owns a container may run an engine in it, or what looks like an engine's helper, and give
// its containers the names and ids of others.
TEST(FindContainer, WantsToBeToldWhatIsInAContainerOrEvidenceAlone) {
  EXPECT_THAT(Find("container:lab").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "no container container:lab of this host's engines; an engine in the "
                       "container shop-web-2 has one: write shop-web-2/lab"));
  EXPECT_THAT(Find("docker/lab").status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Find("999999999999").status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Find("container:lx").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "no container container:lx of this host's engines; no engine tells of it, "
                       "but its processes look like one's: write evidence/lx"));
  EXPECT_THAT(Find("888888888888").status(), StatusIs(absl::StatusCode::kNotFound));
}

// What is known by evidence alone inside of a container is meant after that one's name.
TEST(FindContainer, TellsEvidenceInAContainer) {
  engines::Containers scene = Scene(/*silent=*/false);
  engines::Engine& inner = *scene.add_engines();
  inner.set_key("evidence:21@5");
  inner.set_type(engines::Engine::evidence);
  inner.set_state(engines::Engine::ready);
  inner.set_parent("docker:1@1");
  inner.set_parent_container("aaaaaaaaaaaa0002");
  scene.mutable_containers(2)->set_engine(inner.key());
  const auto find = [&scene](const std::string& word) -> absl::StatusOr<std::string> {
    const auto found = FindContainer(scene, *ParseTarget(word));
    if (!found.ok()) return found.status();
    return (*found)->id();
  };

  EXPECT_EQ(*find("shop-web-2/lx"), "888888888888");
  EXPECT_EQ(*find("evidence:21/lx"), "888888888888");
  EXPECT_THAT(find("evidence/lx").status(),
              StatusIs(absl::StatusCode::kNotFound,
                       "no container evidence/lx of this host's engines; there is one in the "
                       "container shop-web-2: write shop-web-2/lx"));
}

TEST(FindByEvidence, HasWhatTheSilentEngineMayHave) {
  const auto find = [](const std::string& word, bool silent) -> std::string {
    const engines::Containers scene = Scene(silent);
    const engines::Container* const found = FindByEvidence(scene, *ParseTarget(word));
    return found == nullptr ? "" : found->id();
  };

  EXPECT_EQ(find("container:lx", true), "888888888888");
  EXPECT_EQ(find("containerd/lx", true), "888888888888");
  EXPECT_EQ(find("888888888888", true), "888888888888");
  // All engines told, or the one that is meant did; or there is none of the name.
  EXPECT_EQ(find("container:lx", false), "");
  EXPECT_EQ(find("docker/lx", true), "");
  EXPECT_EQ(find("container:ly", true), "");
}

TEST(FindByEvidence, LeavesOutWhatIsInAContainer) {
  engines::Containers scene = Scene(/*silent=*/true);
  scene.mutable_engines(3)->set_parent("docker:1@1");
  scene.mutable_engines(3)->set_parent_container("aaaaaaaaaaaa0002");

  EXPECT_EQ(FindByEvidence(scene, *ParseTarget("container:lx")), nullptr);
}

// What a user shows is said with `evidence`, where the host shows none; it makes nobody's doubtful.
TEST(FindContainer, PrefersTheHostsEvidence) {
  engines::Containers scene = Scene(/*silent=*/true);
  engines::Container& users = *scene.add_containers();
  users.set_engine("evidence");
  users.set_id("aaaaaaaaaaaa0009");
  users.set_name("lx");
  users.set_pid(99);
  users.set_foreign(true);
  users.set_told_by_uid(12321);
  const auto find = [&scene](const std::string& word) {
    const auto found = FindContainer(scene, *ParseTarget(word));
    return found.ok() ? absl::StrCat((*found)->pid()) : std::string(found.status().message());
  };

  EXPECT_EQ(find("evidence/lx"), "62");
  EXPECT_EQ(find("evidence/aaaaaaaaaaaa0009"), "99");
  users.set_name("shop-web-1");
  EXPECT_EQ(find("container:shop-web-1"), "20");
  EXPECT_EQ(find("evidence/shop-web-1"), "99");
  const Target target = *ParseTarget("container:shop-web-1");
  EXPECT_FALSE(DoubtAbout(scene, target, **FindContainer(scene, target)).has_rival);
}

Doubt DoubtAboutWord(const std::string& word, const engines::Containers& scene) {
  const absl::StatusOr<Target> target = ParseTarget(word);
  const auto found = FindContainer(scene, *target);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? DoubtAbout(scene, *target, **found) : Doubt();
}

// The only one of its name need not be the only one while an engine has not told.
TEST(DoubtAbout, NamesTheSilentEngine) {
  engines::Containers scene = Scene(/*silent=*/true);
  const Doubt doubt = DoubtAboutWord("container:shop-web-1", scene);

  EXPECT_EQ(doubt.text,
            "containerd:3@1 did not tell its containers (degraded), and may have another one of "
            "that name");
  EXPECT_EQ(doubt.instead, "docker:1/shop-web-1");
  EXPECT_FALSE(doubt.has_rival);
  EXPECT_EQ(DoubtAboutWord("docker/shop-web-1", scene).text, "");
  EXPECT_EQ(DoubtAboutWord("aaaaaaaaaaaa0001", scene).text, "");
  EXPECT_EQ(DoubtAboutWord("cccccccccccc", scene).text, "");

  engines::Container& rival = *scene.add_containers();
  rival.set_engine("evidence");
  rival.set_name("shop-web-1");
  rival.set_pid(99);
  const Doubt more = DoubtAboutWord("container:shop-web-1", scene);
  EXPECT_TRUE(more.has_rival);
  EXPECT_EQ(more.text,
            "containerd:3@1 did not tell its containers (degraded), and seems to have another one "
            "of that name");
}

// Docker is the host's, with a container that does not run; what Podman has is a user's.
engines::Containers SceneOfUser(engines::Engine::State docker = engines::Engine::ready) {
  engines::Containers containers;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "docker:1@1" type: docker state: ready uid: 0 }
        engines { key: "podman:2@1" type: podman state: ready uid: 1000 foreign: true }
        engines { key: "docker:3@1" type: docker state: ready foreign: true }
        engines {
          key: "docker:4@1"
          type: docker
          state: ready
          parent: "docker:1@1"
          parent_container: "aaaaaaaaaaaa0009"
        }
        containers { engine: "docker:1@1" id: "aaaaaaaaaaaa0001" name: "db" state: exited }
        containers { engine: "docker:1@1" id: "aaaaaaaaaaaa0009" name: "shop" pid: 9 }
        containers {
          engine: "docker:1@1"
          id: "aaaaaaaaaaaa0002"
          name: "shop-web-1"
          pid: 20
          project { project: "shop" service: "web" }
        }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0001" name: "db" pid: 30 }
        containers { engine: "podman:2@1" id: "aaaaaaaaaaaa0002" name: "shop-web-1" pid: 31 }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0003" name: "mine" pid: 32 }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0004" name: "both" pid: 33 }
        containers { engine: "docker:3@1" id: "dddddddddddd0001" name: "both" pid: 40 }
        containers { engine: "docker:4@1" id: "eeeeeeeeeeee0001" name: "web" pid: 50 }
        containers { engine: "docker:4@1" id: "eeeeeeeeeeee0002" name: "inner" pid: 51 })pb",
      &containers));
  containers.mutable_engines(0)->set_state(docker);
  return containers;
}

// The PID, or the error's message.
std::string FindInUsers(const std::string& word,
                        engines::Engine::State docker = engines::Engine::ready) {
  const engines::Containers scene = SceneOfUser(docker);
  const auto found = FindContainer(scene, *ParseTarget(word));
  if (!found.ok()) return std::string(found.status().message());
  return absl::StrCat((*found)->pid(),
                      IsOnlyForeign(scene, *ParseTarget(word), **found) ? " foreign" : "");
}

TEST(FindContainer, PrefersTheHostsOwn) {
  EXPECT_EQ(FindInUsers("container:db"), "0");
  EXPECT_EQ(FindInUsers("container:shop-web-1"), "20");
  EXPECT_EQ(FindInUsers("aaaaaaaaaaaa0002"), "20");
  // A service of the host's is before a container in a container that has the project's name.
  EXPECT_EQ(FindInUsers("shop/web"), "20");
  EXPECT_EQ(FindInUsers("docker:4/web"), "50");
  EXPECT_EQ(FindInUsers("shop/inner"), "51 foreign");
  EXPECT_EQ(FindInUsers("container:mine"), "32 foreign");
  EXPECT_EQ(FindInUsers("podman/mine"), "32 foreign");
  EXPECT_EQ(FindInUsers("bbbbbbbbbbbb0003"), "32 foreign");
  EXPECT_EQ(FindInUsers("podman:2/mine"), "32");
  EXPECT_EQ(FindInUsers("podman:2@1/db"), "30");
  EXPECT_EQ(FindInUsers("container:both"),
            "container:both means 2 containers: podman/both (bbbbbbbbbbbb, PID 33), docker:3/both "
            "(dddddddddddd, PID 40)");
}

TEST(FindContainer, TakesNoOthersForWhatTheHostsEnginesMayHave) {
  for (const auto state :
       {engines::Engine::connecting, engines::Engine::syncing, engines::Engine::degraded}) {
    EXPECT_EQ(FindInUsers("container:mine", state),
              absl::StrCat("no container container:mine of this host's engines, of which "
                           "docker:1@1 did not tell (",
                           engines::StateName(state),
                           "); podman:2@1 of user 1000 has one: write podman:2/mine"));
    EXPECT_EQ(FindInUsers("podman:2/mine", state), "32");
    EXPECT_EQ(FindInUsers("container:shop-web-1", state), "20");
  }
}

// What a helper process of the host's shows is called by the type of its engine; a sandbox has its
// pod's name, which a container may have too.
TEST(FindContainer, KnowsHelpersAndSandboxes) {
  engines::Containers scene;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        engines { key: "cri:3@1" type: cri state: ready }
        engines { key: "evidence" type: evidence state: ready }
        engines { key: "podman:2@1" type: podman state: ready }
        containers {
          engine: "evidence"
          id: "box"
          name: "box"
          pid: 10
          annotations { name: "nsctl.evidence.engine" value: "nspawn" }
        }
        containers {
          engine: "evidence"
          id: "bbbbbbbbbbbb0009"
          name: "db"
          pid: 11
          annotations { name: "nsctl.evidence.engine" value: "podman" }
        }
        containers { engine: "podman:2@1" id: "bbbbbbbbbbbb0001" name: "db" pid: 12 }
        containers { engine: "cri:3@1" id: "cccccccccccc0001" name: "web" pid: 13 sandbox: true }
        containers { engine: "cri:3@1" id: "cccccccccccc0002" name: "web" pid: 14 }
        containers { engine: "cri:3@1" id: "cccccccccccc0003" name: "job" pid: 15 sandbox: true }
      )pb",
      &scene));
  const auto find = [&scene](const std::string& word) {
    const auto found = FindContainer(scene, *ParseTarget(word));
    return found.ok() ? absl::StrCat((*found)->pid()) : std::string(found.status().message());
  };

  EXPECT_EQ(find("nspawn/box"), "10");
  EXPECT_EQ(DescribeEngineOf(scene, scene.containers(0)), "evidence");
  EXPECT_EQ(find("evidence/box"), "10");
  EXPECT_EQ(find("podman/db"), "12");
  EXPECT_EQ(find("evidence/db"), "11");
  EXPECT_EQ(find("container:web"), "14");
  EXPECT_EQ(find("cccccccccccc0001"), "13");
  EXPECT_EQ(find("container:job"), "15");
  scene.mutable_engines(2)->set_state(engines::Engine::connecting);
  EXPECT_EQ(find("podman/db"), "12");
  scene.mutable_containers(2)->set_name("other");
  EXPECT_THAT(find("podman/db"), ::testing::HasSubstr("did not tell"));
}

}  // namespace
}  // namespace nsctl::cmd
