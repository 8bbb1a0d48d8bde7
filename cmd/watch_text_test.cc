#include "cmd/watch_text.h"

#include <string>

#include "engines/container.pb.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

struct ChangeCase {
  const char* name;
  std::string change;
  std::string text;
};

class TextOfChange : public ::testing::TestWithParam<ChangeCase> {};

TEST_P(TextOfChange, IsOneLine) {
  engines::Change change;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(GetParam().change, &change));

  EngineNames names;

  EXPECT_EQ(ChangeText(change, &names), GetParam().text);
}

engines::Engine EngineOf(const std::string& text) {
  engines::Engine engine;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &engine));
  return engine;
}

TEST(EngineNames, SayWhichOneWhereItMatters) {
  EngineNames names;
  EXPECT_EQ(names.NameOf("docker:1@2"), "docker");
  EXPECT_FALSE(names.Take(EngineOf("key: 'docker:1@2' type: docker state: ready")));
  EXPECT_TRUE(names.Take(EngineOf("key: 'docker:1@2' type: docker state: ready")));
  names.Take(EngineOf("key: 'podman:3@4' type: podman foreign: true"));
  names.Take(EngineOf("key: 'evidence:5@6' type: evidence parent_container: 'web'"));
  EXPECT_EQ(names.NameOf("docker:1@2"), "docker");
  EXPECT_EQ(names.NameOf("podman:3@4"), "podman:3");
  EXPECT_EQ(names.NameOf("evidence:5@6"), "evidence:5");
  EXPECT_EQ(names.NameOf("evidence"), "evidence");

  names.Take(EngineOf("key: 'docker:7@8' type: docker"));
  EXPECT_EQ(names.NameOf("docker:1@2"), "docker:1");
  EXPECT_EQ(names.NameOf("docker:7@8"), "docker:7");
  names.Take(EngineOf("key: 'docker:1@2' type: docker state: gone"));

  // What ends later was of the other one.
  EXPECT_EQ(names.NameOf("docker:1@2"), "docker:1");
  EXPECT_EQ(names.NameOf("docker:7@8"), "docker");
  names.Take(EngineOf("key: 'docker:7@8' type: docker state: gone"));
  EXPECT_EQ(names.NameOf("docker:7@8"), "docker");
}

TEST(TextOfEngine, SaysThatItIsNew) {
  EngineNames names;
  engines::Change change;
  change.set_kind(engines::Change::engine_changed);
  *change.mutable_engine() = EngineOf("key: 'docker:1@2' state: connecting");

  EXPECT_EQ(ChangeText(change, &names),
            "1970-01-01T00:00:00.000Z new engine docker:1@2, connecting");
  EXPECT_EQ(ChangeText(change, &names),
            "1970-01-01T00:00:00.000Z changed engine docker:1@2, connecting");
}

INSTANTIATE_TEST_SUITE_P(
    All, TextOfChange,
    ::testing::Values(
        ChangeCase{"Started",
                   R"pb(kind: started
                        happened_at { seconds: 1735689600 nanos: 250000000 }
                        received_at { seconds: 1735689700 }
                        container {
                          engine: "docker:1@2"
                          id: "0123456789abcdef"
                          name: "web"
                          pid: 1234
                          project { project: "shop" }
                        })pb",
                   "2025-01-01T00:00:00.250Z started container \"web\" (0123456789ab) of docker, "
                   "project \"shop\", process 1234"},
        ChangeCase{
            "Present",
            R"pb(kind: present
                 received_at { seconds: 1735689600 }
                 container { engine: "docker:1@2" id: "01" name: "web" pid: 5 state: paused })pb",
            "2025-01-01T00:00:00.000Z present container \"web\" (01) of docker, process 5, "
            "paused"},
        ChangeCase{"PresentEngine", R"pb(kind: present
                                         engine { key: "docker:1@2" state: ready })pb",
                   "1970-01-01T00:00:00.000Z present engine docker:1@2, ready"},
        ChangeCase{"Exited",
                   R"pb(kind: exited
                        received_at { seconds: 1735689600 }
                        container {
                          engine: "podman:1@2"
                          id: "01"
                          name: "web"
                          pid: 5
                          exit_code: 137
                          oom_killed: true
                        }
                        pod { name: "front" })pb",
                   "2025-01-01T00:00:00.000Z exited container \"web\" (01) of podman, pod "
                   "\"front\", status 137, out of memory"},
        ChangeCase{"Hostile",
                   R"pb(kind: updated
                        container { engine: "x" id: "\x1b[2J" name: "\n\"" state: restarting })pb",
                   "1970-01-01T00:00:00.000Z updated container \"\\x0a\\x22\" (\\x1b[2J) of x, "
                   "restarting"},
        ChangeCase{"Engine",
                   R"pb(kind: engine_changed
                        engine { key: "docker:1@2" state: degraded reason: "end of stream" })pb",
                   "1970-01-01T00:00:00.000Z new engine docker:1@2, degraded: end of stream"},
        ChangeCase{"IdThatIsNoHash",
                   "kind: exited container { engine: 'lxc' id: '/var/lib/lxc/web' name: 'web' }",
                   "1970-01-01T00:00:00.000Z exited container \"web\" (/var/lib/lxc/web) of lxc"},
        ChangeCase{"EngineGone", R"pb(kind: engine_gone
                                      engine { key: "docker:1@2" state: gone })pb",
                   "1970-01-01T00:00:00.000Z gone engine docker:1@2"},
        ChangeCase{"NewerKind", "kind: 99 container { engine: \"a\" id: \"b\" name: \"c\" }",
                   "1970-01-01T00:00:00.000Z changed container \"c\" (b) of a"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace nsctl::cmd
