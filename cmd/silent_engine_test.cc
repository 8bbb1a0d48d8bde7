// What stands in for the containers of an engine that does not answer.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cmd/container_search.h"
#include "cmd/target.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::nsctl::testing::StatusIs;

// "PID" that FindByEvidence has, or the error of FindContainer; a silent Docker's containers are
// known by evidence alone.
std::string FindWhileSilent(const std::string& word, const std::string& evidence) {
  engines::Containers scene;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
            engines { key: "docker:1@1" type: docker state: degraded }
            engines { key: "evidence" type: evidence state: ready }
            engines { key: "podman:2@1" type: podman state: ready }
      )pb" +
          evidence,
      &scene));
  const auto found = FindContainer(scene, *ParseTarget(word));
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound, ::testing::_)) << word;
  const engines::Container* const evident = FindByEvidence(scene, *ParseTarget(word));
  return evident != nullptr ? absl::StrCat(evident->pid()) : std::string(found.status().message());
}

constexpr char kHosts[] = R"pb(
  containers {
    engine: "evidence"
    id: "aaaaaaaaaaaa0001"
    name: "web"
    pid: 10
    annotations { name: "nsctl.evidence" value: "containerd-shim" }
  })pb";
constexpr char kUsers[] = R"pb(
  containers {
    engine: "evidence"
    id: "aaaaaaaaaaaa0001"
    name: "web"
    pid: 20
    annotations { name: "nsctl.evidence" value: "containerd-shim" }
    foreign: true
    told_by_uid: 12321
  })pb";
constexpr char kPodmans[] = R"pb(
  containers {
    engine: "evidence"
    id: "bbbbbbbbbbbb0001"
    name: "web"
    pid: 30
    annotations { name: "nsctl.evidence" value: "conmon" }
    annotations { name: "nsctl.evidence.engine" value: "podman" }
  })pb";

// Anybody can start what looks like a helper, with others' names and ids among its arguments.
TEST(FindByEvidence, TakesNoUsersWord) {
  const std::string withheld =
      " of this host's engines, of which docker:1@1 did not tell (degraded); evidence of user "
      "12321 has one: write evidence/web";

  EXPECT_EQ(FindWhileSilent("container:web", kUsers), "no container container:web" + withheld);
  EXPECT_EQ(FindWhileSilent("aaaaaaaaaaaa0001", kUsers),
            "no container aaaaaaaaaaaa0001" + withheld);
  EXPECT_EQ(FindWhileSilent("aaaaaaaaaaaa", kUsers), "no container aaaaaaaaaaaa" + withheld);
  EXPECT_EQ(FindWhileSilent("docker/web", kUsers),
            "no container docker/web; not all was told by docker:1@1 (degraded)");
  EXPECT_EQ(FindWhileSilent("docker/aaaaaaaaaaaa", kUsers),
            "no container docker/aaaaaaaaaaaa; not all was told by docker:1@1 (degraded)");
}

TEST(FindByEvidence, TakesTheHostsWord) {
  EXPECT_EQ(FindWhileSilent("container:web", kHosts), "10");
  EXPECT_EQ(FindWhileSilent("docker/web", kHosts), "10");
  EXPECT_EQ(FindWhileSilent("aaaaaaaaaaaa", kHosts), "10");
}

TEST(FindByEvidence, DoubtsANameThatOthersShowToo) {
  const std::string both = absl::StrCat(kUsers, kHosts);

  EXPECT_THAT(FindWhileSilent("container:web", both), ::testing::HasSubstr("did not tell"));
  EXPECT_THAT(FindWhileSilent("docker/web", both), ::testing::HasSubstr("not all was told"));
  EXPECT_EQ(FindWhileSilent("aaaaaaaaaaaa0001", both), "10");
  EXPECT_EQ(FindWhileSilent("docker/aaaaaaaaaaaa", both), "10");
}

TEST(FindByEvidence, KnowsWhoseHelpersAreWhose) {
  EXPECT_THAT(FindWhileSilent("container:web", kPodmans), ::testing::HasSubstr("did not tell"));
  EXPECT_THAT(FindWhileSilent("docker/web", kPodmans), ::testing::HasSubstr("not all was told"));
  EXPECT_THAT(FindWhileSilent("bbbbbbbbbbbb", kPodmans), ::testing::HasSubstr("did not tell"));
}

}  // namespace
}  // namespace nsctl::cmd
