#include "nsdisc/diff_containers.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

// "removed docker/old", "changed docker/web name:a>b".
std::vector<std::string> Told(const std::string& before, const std::string& after) {
  std::vector<std::string> told;
  for (const Change& change : DiffContainers(
           Parse(before), Parse(after), [](absl::string_view path) { return path == "engine"; })) {
    EXPECT_EQ(change.section(), "containers");
    EXPECT_TRUE(change.has_container());
    std::string text = absl::StrCat(Change::Kind_Name(change.kind()), " ", change.subject());
    for (const FieldChange& field : change.fields()) {
      absl::StrAppend(&text, " ", field.field(), ":", field.before().empty() ? "" : field.before(0),
                      ">", field.after().empty() ? "" : field.after(0));
    }
    told.push_back(text);
  }
  return told;
}

constexpr char kWeb[] = R"pb(
  containers { engine: "docker:1@2" id: "a" name: "web" state: running pid: 7 })pb";

TEST(DiffContainers, TellsWhatCameAndWent) {
  EXPECT_THAT(Told(kWeb, R"pb(
                containers { engine: "containerd:3@4" native_namespace: "shop" id: "a" })pb"),
              ElementsAre("removed docker/web", "added containerd/shop/a"));
}

// Who may not look at engines has not seen their containers end.
TEST(DiffContainers, DoesNotTakeWhatCouldNotBeSeenForRemoved) {
  const char kBlind[] = "gaps { subject: 'pid:1' operation: 'find engines' error: 'EACCES' }";
  EXPECT_THAT(Told(kWeb, kBlind), ElementsAre("unknown docker/web"));
  EXPECT_THAT(Told(kBlind, kWeb), ElementsAre("unknown docker/web"));
  EXPECT_THAT(Told(kWeb, "engines { key: 'docker:1@2' state: degraded }"),
              ElementsAre("unknown docker/web"));
  EXPECT_THAT(Told(kWeb, "engines { key: 'docker:1@2' state: ready }"),
              ElementsAre("removed docker/web"));
}

TEST(DiffContainers, TellsWhatChanged) {
  EXPECT_THAT(Told(kWeb, R"pb(
                containers { engine: "docker:1@2" id: "a" name: "www" state: paused pid: 7 })pb"),
              ElementsAre("changed docker/www name:web>www state:running>paused"));
}

TEST(DiffContainers, FollowsARestartedEngine) {
  EXPECT_THAT(Told(kWeb, R"pb(
                containers { engine: "docker:9@9" id: "a" name: "web" state: running pid: 7 })pb"),
              IsEmpty());
}

}  // namespace
}  // namespace nsctl::nsdisc
