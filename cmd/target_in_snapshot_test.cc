#include "cmd/target_in_snapshot.h"

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using testing::StatusIs;

class FindTargetInTest : public ::testing::Test {
 protected:
  FindTargetInTest() : snapshot_(MakeSnapshot()), index_(snapshot_) {}

  absl::StatusOr<TargetInSnapshot> Find(const char* text) const {
    const absl::StatusOr<Target> target = ParseTarget(text);
    EXPECT_TRUE(target.ok()) << text;
    return FindTargetIn(index_, *target);
  }

  absl::StatusOr<TargetInSnapshot> FindPlace(const char* text) const {
    const absl::StatusOr<Target> target = ParseTarget(text);
    EXPECT_TRUE(target.ok()) << text;
    return FindPlaceIn(index_, *target);
  }

 private:
  static nsdisc::Snapshot MakeSnapshot() {
    nsdisc::Snapshot snapshot;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"pb(
          options { containers: true }
          namespaces { type: mnt inode: 11 }
          namespaces { type: net inode: 12 }
          processes { pid: 7 start_time: 5 pidfd_inode: 70 }
          engines { key: "docker:1@1" type: docker state: ready }
          containers { engine: "docker:1@1" id: "a" name: "ended" pid: 7 start_time: 4 }
          containers { engine: "docker:1@1" id: "b" name: "old" state: exited }
          containers { engine: "docker:1@1" id: "c" name: "web" pid: 7 start_time: 5 }
        )pb",
        &snapshot));
    return snapshot;
  }

  const nsdisc::Snapshot snapshot_;
  const nsdisc::SnapshotIndex index_;
};

TEST_F(FindTargetInTest, FindsProcesses) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetInSnapshot found, Find("7"));
  ASSERT_NE(found.process, nullptr);
  EXPECT_EQ(found.process->pid(), 7);
  EXPECT_EQ(found.ns, nullptr);

  EXPECT_EQ(Find("7:70")->process, found.process);
}

TEST_F(FindTargetInTest, FindsNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetInSnapshot found, Find("net:[12]"));

  ASSERT_NE(found.ns, nullptr);
  EXPECT_EQ(found.ns->inode(), 12);
  EXPECT_EQ(found.process, nullptr);
}

TEST_F(FindTargetInTest, SaysWhatItCannotFind) {
  EXPECT_THAT(Find("8"), StatusIs(absl::StatusCode::kNotFound, "no process 8"));
  EXPECT_THAT(Find("7:71"),
              StatusIs(absl::StatusCode::kNotFound, "process 7 is another one than 7:71"));
  EXPECT_THAT(Find("mnt:[12]"), StatusIs(absl::StatusCode::kNotFound, "no namespace mnt:[12]"));
  EXPECT_THAT(Find("/run/netns/x"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                             "a path means a namespace on the running host alone"));
  EXPECT_THAT(Find("docker/nobody"),
              StatusIs(absl::StatusCode::kNotFound,
                       "no container docker/nobody: none that runs is called so"));
}

TEST_F(FindTargetInTest, SaysThatEnginesWereNotAsked) {
  const nsdisc::Snapshot snapshot;
  const absl::StatusOr<Target> target = ParseTarget("docker:12/web");
  ASSERT_TRUE(target.ok());

  EXPECT_THAT(FindTargetIn(nsdisc::SnapshotIndex(snapshot), *target),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "no container docker:12/web: engines were not asked (--no-containers, or "
                       "not the running host)"));
}

TEST_F(FindTargetInTest, FindsContainersWithTheirInitialProcess) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetInSnapshot found, Find("docker/web"));

  ASSERT_NE(found.container, nullptr);
  EXPECT_EQ(found.container->id(), "c");
  ASSERT_NE(found.process, nullptr);
  EXPECT_EQ(found.process->pid(), 7);
  EXPECT_EQ(FindPlace("docker/web")->process, found.process);
}

TEST_F(FindTargetInTest, TakesNoOtherProcessOfTheNumberForAContainers) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TargetInSnapshot found, Find("docker/ended"));

  EXPECT_EQ(found.process, nullptr);
  EXPECT_THAT(FindPlace("docker/ended"),
              StatusIs(absl::StatusCode::kNotFound,
                       "process 7 of container ended was not seen: it ended, or the engine is "
                       "wrong"));
  EXPECT_THAT(FindPlace("docker/old"), StatusIs(absl::StatusCode::kFailedPrecondition,
                                                "container old is not running (exited)"));
}

}  // namespace
}  // namespace nsctl::cmd
