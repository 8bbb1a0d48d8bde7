#include "nsdisc/pid_map.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using Number = PidMap::Number;

// pid:[10] is scanned; in it is pid:[11], and in that pid:[12].
constexpr char kHost[] = R"pb(
  namespaces { type: pid inode: 10 children: 11 }
  namespaces { type: pid inode: 11 parent: 10 children: 12 }
  namespaces { type: pid inode: 12 parent: 11 }
  processes { pid: 1 uid: 0 namespaces_error: "EACCES" }
  processes {
    pid: 5
    uid: 0
    namespaces { pid: 10 }
  }
  processes {
    pid: 20
    uid: 0
    namespaces { pid: 11 }
    namespaced_pids: [ 20, 1 ]
  }
  processes {
    pid: 30
    uid: 0
    namespaces { pid: 12 }
    namespaced_pids: [ 30, 7, 1 ]
  }
)pb";

class PidMapTest : public ::testing::Test {
 protected:
  // `more` is added to kHost; PIDs go on from 40.
  void Load(const std::string& more = "") {
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(kHost + more, &snapshot_)) << more;
    index_ = std::make_unique<SnapshotIndex>(snapshot_);
    map_ = std::make_unique<PidMap>(*index_);
  }

  const Process& ProcessOf(int32_t pid) { return *index_->FindProcess(pid); }

  int32_t Find(int32_t pid, uint32_t ns) {
    const Process* const process = map_->Find(pid, ns);
    return process == nullptr ? 0 : process->pid();
  }

  Snapshot snapshot_;
  std::unique_ptr<SnapshotIndex> index_;
  std::unique_ptr<PidMap> map_;
};

TEST_F(PidMapTest, GivesEveryNumberItsNamespace) {
  Load();

  EXPECT_THAT(map_->NumbersOf(ProcessOf(5)), ElementsAre(Number{5, 10}));
  EXPECT_THAT(map_->NumbersOf(ProcessOf(20)), ElementsAre(Number{20, 10}, Number{1, 11}));
  EXPECT_THAT(map_->NumbersOf(ProcessOf(30)),
              ElementsAre(Number{30, 10}, Number{7, 11}, Number{1, 12}));
}

TEST_F(PidMapTest, FindsProcessesByTheirNumberInAnyNamespace) {
  Load();

  EXPECT_EQ(Find(30, 10), 30);
  EXPECT_EQ(Find(7, 11), 30);
  EXPECT_EQ(Find(1, 12), 30);
  EXPECT_EQ(Find(1, 11), 20);
  EXPECT_EQ(Find(1, 10), 1);
  EXPECT_EQ(Find(7, 12), 0);
  EXPECT_EQ(Find(7, 99), 0);
}

// Links are refused where status is not: the one number of such a process says where it is.
TEST_F(PidMapTest, KnowsTheScannedNamespaceOfAProcessWithoutLinks) {
  Load();

  EXPECT_EQ(map_->scanned_namespace(), 10u);
  EXPECT_EQ(map_->NamespaceOf(ProcessOf(1)), 10u);
  EXPECT_THAT(map_->NumbersOf(ProcessOf(1)), ElementsAre(Number{1, 10}));
}

TEST_F(PidMapTest, DoesNotGuess) {
  Load(R"pb(
    processes { pid: 40 uid: 0 namespaces_error: "EACCES" }
    processes { pid: 41 namespaces_error: "EACCES" }
    processes {
      pid: 42
      uid: 0
      namespaces_error: "EACCES"
      namespaced_pids: [ 42, 9 ]
    }
    gaps { subject: "pid:40" operation: "read status" error: "EIO" }
  )pb");

  EXPECT_EQ(map_->NamespaceOf(ProcessOf(40)), std::nullopt) << "its status could not be read";
  EXPECT_EQ(map_->NamespaceOf(ProcessOf(41)), std::nullopt) << "not read in detail";
  EXPECT_EQ(map_->NamespaceOf(ProcessOf(42)), std::nullopt) << "in some inner namespace";
  EXPECT_THAT(map_->NumbersOf(ProcessOf(42)), ElementsAre(Number{42, 10}, Number{9, std::nullopt}));
}

// A number was dealt again while the process was read, or a parent is unknown.
TEST_F(PidMapTest, LeavesNumbersThatDisagreeWithTheHierarchyWithoutNamespace) {
  Load(R"pb(
    processes {
      pid: 40
      uid: 0
      namespaces { pid: 11 }
      namespaced_pids: [ 40, 8, 9 ]
    }
    processes {
      pid: 41
      uid: 0
      namespaces { pid: 77 }
      namespaced_pids: [ 41, 2 ]
    }
    processes {
      pid: 42
      uid: 0
      namespaces { pid: 12 }
      namespaced_pids: [ 42, 3 ]
    }
  )pb");

  EXPECT_THAT(map_->NumbersOf(ProcessOf(40)),
              ElementsAre(Number{40, 10}, Number{8, std::nullopt}, Number{9, 11}));
  EXPECT_THAT(map_->NumbersOf(ProcessOf(41)), ElementsAre(Number{41, 10}, Number{2, 77}));
  EXPECT_THAT(map_->NumbersOf(ProcessOf(42)), ElementsAre(Number{42, 10}, Number{3, 12}));
}

TEST_F(PidMapTest, BelievesTheScannerOnWhereItWas) {
  Load("scanner { pid: 5 namespaces { pid: 99 } }");

  EXPECT_EQ(map_->scanned_namespace(), 99u);
}

TEST_F(PidMapTest, DoesNotTellTheScannedNamespaceWhereProcessesDisagree) {
  Load("processes { pid: 40 uid: 0 namespaces { pid: 11 } }");

  EXPECT_EQ(map_->scanned_namespace(), std::nullopt);
}

}  // namespace
}  // namespace nsctl::nsdisc
