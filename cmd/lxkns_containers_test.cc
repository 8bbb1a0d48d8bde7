#include "cmd/lxkns_containers.h"

#include <string>

#include "cmd/writer.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

std::string Write(const std::string& text) {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot)) << text;
  StringWriter out;
  JsonWriter json(&out, JsonWriter::kCompact);
  json.BeginObject();
  WriteLxknsContainers(snapshot, &json);
  json.EndObject();
  return out.text();
}

TEST(WriteLxknsContainers, WritesEmptyObjects) {
  EXPECT_EQ(Write(""), R"({"container-engines":{},"container-groups":{},"containers":{}})");
}

// Containers of lxkns 0.46's own answer, with what it showed of them.
TEST(WriteLxknsContainers, WritesWhatLxknsDoes) {
  EXPECT_EQ(
      Write(
          R"pb(
            engines {
              key: "docker:15018@7"
              type: docker
              id: "FXGA:FOLV"
              version: "20.10.24+dfsg1"
              api: "/srv/engines/docker1/docker.sock"
              pid: 15018
              start_time: 7
            }
            containers { engine: "docker:15018@7" id: "0ld" name: "old" state: exited }
            containers {
              engine: "docker:15018@7"
              id: "a70cd3e8"
              name: "gamma"
              pid: 15511
              state: running
              labels { name: "com.docker.compose.project" value: "shop" }
              labels { name: "com.docker.compose.service" value: "gamma" }
            }
            containers {
              engine: "docker:15018@7"
              id: "e182316a"
              name: "beta"
              pid: 15432
              state: paused
            })pb"),
      R"({"container-engines":{"1":{"containers":[15432,15511],"id":"FXGA:FOLV",)"
      R"("type":"docker.com","version":"20.10.24+dfsg1",)"
      R"("api":"unix:///proc/15018/root/srv/engines/docker1/docker.sock","pid":15018,)"
      R"("labels":{"turtlefinder/engine/id":"1"}}},)"
      R"("container-groups":{"1":{"containers":[15511],"name":"shop",)"
      R"("type":"com.docker.compose.project","flavor":"com.docker.compose.project","labels":{}}},)"
      R"("containers":{"15432":{"engine":1,"groups":[],"id":"e182316a","name":"beta",)"
      R"("type":"docker.com","flavor":"docker.com","pid":15432,"paused":true,)"
      R"("labels":{"turtlefinder/container/prefix":""}},)"
      R"("15511":{"engine":1,"groups":[1],"id":"a70cd3e8","name":"gamma",)"
      R"("type":"docker.com","flavor":"docker.com","pid":15511,"paused":false,)"
      R"("labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"gamma",)"
      R"("turtlefinder/container/prefix":""}}}})");
}

TEST(WriteLxknsContainers, WritesEachKeyOnce) {
  EXPECT_EQ(Write(R"pb(
              engines { key: "a" type: docker pid: 7 }
              containers { engine: "a" id: "1" name: "one" pid: 9 }
              containers { engine: "a" id: "2" name: "two" pid: 9 }
              containers { engine: "b" id: "3" name: "x\\xff\\x1b" pid: 10 })pb"),
            R"({"container-engines":{"1":{"containers":[9],"id":"","type":"docker.com",)"
            R"("version":"","api":"","pid":7,"labels":{"turtlefinder/engine/id":"1"}},)"
            R"("2":{"containers":[10],"id":"","type":"unspecified","version":"","api":"","pid":0,)"
            R"("labels":{"turtlefinder/engine/id":"2"}}},"container-groups":{},)"
            R"("containers":{"9":{"engine":1,"groups":[],"id":"1","name":"one",)"
            R"("type":"docker.com","flavor":"docker.com","pid":9,"paused":false,)"
            R"("labels":{"turtlefinder/container/prefix":""}},)"
            R"("10":{"engine":2,"groups":[],"id":"3",)"
            "\"name\":\"x\xEF\xBF\xBD\\u001b\","
            R"("type":"unspecified","flavor":"unspecified","pid":10,"paused":false,)"
            R"("labels":{"turtlefinder/container/prefix":""}}}})");
}

}  // namespace
}  // namespace nsctl::cmd
