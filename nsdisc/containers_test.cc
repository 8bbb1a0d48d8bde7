#include "nsdisc/containers.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot_io.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::nsctl::testing::IsOk;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

Snapshot SmallSnapshot() {
  return Parse<Snapshot>(R"pb(
    format: "nsctl.snapshot.v1"
    statistics { processes: 2 gaps: 1 }
    processes { pid: 1 start_time: 1 container: 7 }
    processes { pid: 20 parent_pid: 1 start_time: 9 }
    gaps { subject: "pid:1" operation: "readlinkat ns/net" error: "EACCES" count: 1 }
    complete: true)pb");
}

engines::Containers TwoContainers() {
  return Parse<engines::Containers>(R"pb(
    engines { key: "podman:3@4" type: podman }
    engines { key: "docker:1@1" type: docker pid: 1 start_time: 1 }
    containers {
      engine: "docker:1@1"
      id: "web"
      pid: 20
      start_time: 9
      created_at { seconds: 1700000000 nanos: 5 }
      started_at { seconds: 900000000000 }
      finished_at { nanos: -1 }
      oom_killed: false
    }
    containers { engine: "docker:1@1" id: "old" state: exited exit_code: 0 }
    pods { engine: "podman:3@4" id: "p" }
    gaps { subject: "podman:3@4" operation: "list" error: "DEADLINE_EXCEEDED" consequence: "c" }
    gaps { subject: "docker:1@1" operation: "list" error: "EACCES" consequence: "c" })pb");
}

TEST(LinkContainers, FillsTheSnapshotInOrder) {
  Snapshot snapshot = SmallSnapshot();

  LinkContainers(TwoContainers(), &snapshot);

  const auto wanted = Parse<Snapshot>(R"pb(
    format: "nsctl.snapshot.v1"
    options { containers: true }
    statistics { processes: 2 containers: 2 gaps: 3 }
    processes { pid: 1 start_time: 1 }
    processes { pid: 20 parent_pid: 1 start_time: 9 container: 1 }
    engines { key: "docker:1@1" type: docker pid: 1 start_time: 1 }
    engines { key: "podman:3@4" type: podman }
    containers { engine: "docker:1@1" id: "old" state: exited exit_code: 0 }
    containers {
      engine: "docker:1@1"
      id: "web"
      pid: 20
      start_time: 9
      created_at { seconds: 1700000000 nanos: 5 }
      oom_killed: false
    }
    pods { engine: "podman:3@4" id: "p" }
    gaps { subject: "pid:1" operation: "readlinkat ns/net" error: "EACCES" count: 1 }
    gaps { subject: "docker:1@1" operation: "list" error: "EACCES" consequence: "c" count: 1 }
    gaps {
      subject: "podman:3@4"
      operation: "list"
      error: "DEADLINE_EXCEEDED"
      consequence: "c"
      count: 1
    }
    complete: true)pb");
  EXPECT_TRUE(MessageDifferencer::Equals(snapshot, wanted)) << snapshot.DebugString();
  EXPECT_THAT(CheckSnapshot(snapshot), IsOk());
}

TEST(LinkContainers, MakesRefusalsAGapOfTheEngine) {
  Snapshot snapshot = SmallSnapshot();
  engines::Containers lie = TwoContainers();
  lie.clear_gaps();
  lie.mutable_containers(0)->set_pid(1);
  lie.mutable_containers(0)->set_start_time(1);

  LinkContainers(lie, &snapshot);

  EXPECT_FALSE(snapshot.processes(0).has_container());
  ASSERT_EQ(snapshot.gaps_size(), 2);
  EXPECT_TRUE(MessageDifferencer::Equals(
      snapshot.gaps(1),
      Parse<Gap>(R"pb(subject: "docker:1@1"
                      operation: "link containers"
                      error: "EPERM"
                      consequence: "no process is linked to containers that it says run outside "
                                   "of its own place"
                      count: 1)pb")));
}

TEST(LinkContainers, GivesWhatEveryEncodingKeeps) {
  Snapshot snapshot = SmallSnapshot();
  LinkContainers(TwoContainers(), &snapshot);
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(snapshot, &json, options).ok());

  const auto from_json = ParseSnapshot(json, "json");
  const auto from_binary = ParseSnapshot(snapshot.SerializeAsString(), "pb");

  ASSERT_THAT(from_json.status(), IsOk());
  ASSERT_THAT(from_binary.status(), IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(snapshot, **from_json));
  EXPECT_TRUE(MessageDifferencer::Equals(snapshot, **from_binary));
}

TEST(ContainerOf, GivesNoneWhereTheIndexIsWrong) {
  Snapshot snapshot = SmallSnapshot();
  snapshot.add_containers()->set_id("a");
  Process process;

  EXPECT_EQ(ContainerOf(snapshot, process), nullptr);
  process.set_container(0);
  EXPECT_EQ(ContainerOf(snapshot, process), &snapshot.containers(0));
  process.set_container(1);
  EXPECT_EQ(ContainerOf(snapshot, process), nullptr);
}

}  // namespace
}  // namespace nsctl::nsdisc
