#include "nsdisc/namespace_table.h"

#include <errno.h>

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/lineage.h"
#include "nsdisc/snapshot.pb.h"
#include "procfsroot/procfs.h"

namespace nsctl::nsdisc {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

google::protobuf::RepeatedPtrField<Process> Processes(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot.processes();
}

// The table's namespaces, one line each.
std::vector<std::string> Show(NamespaceTable* table, std::vector<NamespaceType> types = {}) {
  google::protobuf::RepeatedPtrField<Namespace> namespaces;
  table->MoveTo(types, &namespaces);
  std::vector<std::string> shown;
  for (const Namespace& ns : namespaces) shown.push_back(ns.ShortDebugString());
  return shown;
}

// Every namespace has ended.
class GoneLineage : public Lineage {
 public:
  absl::StatusOr<std::vector<NamespaceFacts>> Trace(
      const procfsroot::Procfs&, const NamespaceWay&, const NamespaceTarget&,
      absl::FunctionRef<bool(NamespaceType, base::NamespaceId)>) override {
    return base::ErrnoStatus(ESRCH, "open");
  }
};

TEST(NamespaceTable, SaysThatNamespacesEndedBeforeTheyWereAskedAbout) {
  const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
  ASSERT_TRUE(procfs.ok());
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 8
      namespaces { uts: 7 pid: 9 }
    }
  )pb"));
  GoneLineage lineage;
  table.Trace(*procfs, lineage, nullptr);

  NamespaceTable::Losses losses = table.Finish(*procfs, false);

  EXPECT_EQ(losses.vanished_namespaces, 2u);
  google::protobuf::RepeatedPtrField<Gap> gaps;
  losses.gaps.MoveTo(&gaps);
  ASSERT_EQ(gaps.size(), 1);
  EXPECT_EQ(gaps[0].ShortDebugString(),
            "subject: \"host\" operation: \"open ns\" error: \"ESRCH\" consequence: \"owner, "
            "parent and ids of those that ended meanwhile are unknown\" count: 2");
}

TEST(NamespaceTable, LeaderIsTheTopmostOfItsBranch) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 1
      start_time: 1
      namespaces { net: 100 }
    }
    processes {
      pid: 2
      start_time: 1
      namespaces { net: 100 }
    }
    processes {
      pid: 5
      start_time: 9
      parent_pid: 1
      namespaces { net: 100 }
    }
    processes {
      pid: 6
      start_time: 9
      parent_pid: 5
      namespaces { net: 200 }
    }
    processes {
      pid: 7
      start_time: 9
      parent_pid: 6
      namespaces { net: 200 }
    }
    processes {
      pid: 8
      start_time: 9
      parent_pid: 7
      namespaces { net: 100 }
    }
  )pb"));

  EXPECT_THAT(Show(&table),
              ElementsAre("type: net inode: 100 leaders: 1 leaders: 2 leaders: 8 ealdorman: 1 "
                          "process_count: 4",
                          "type: net inode: 200 leaders: 6 ealdorman: 6 process_count: 2"));
}

// A PID is dealt again after others: the lowest number is not the oldest process.
TEST(NamespaceTable, EaldormanIsTheOldestLeader) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 3
      start_time: 500
      namespaces { uts: 7 }
    }
    processes {
      pid: 9
      start_time: 400
      namespaces { uts: 7 }
    }
    processes {
      pid: 12
      start_time: 400
      namespaces { uts: 7 }
    }
  )pb"));

  EXPECT_THAT(Show(&table), ElementsAre("type: uts inode: 7 leaders: 3 leaders: 9 leaders: 12 "
                                        "ealdorman: 9 process_count: 3"));
}

TEST(NamespaceTable, UnreadableParentMakesALeaderAndStaysOut) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 1
      namespaces_error: "EACCES"
      namespaces {}
    }
    processes {
      pid: 2
      parent_pid: 1
      namespaces { ipc: 4 }
    }
  )pb"));

  EXPECT_THAT(Show(&table),
              ElementsAre("type: ipc inode: 4 leaders: 2 ealdorman: 2 process_count: 1"));
}

TEST(NamespaceTable, ThreadIsLooseWhereItDiffersFromItsProcess) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 10
      namespaces { net: 1 uts: 2 }
      threads {
        tid: 13
        namespaces { net: 9 uts: 2 }
      }
      threads {
        tid: 12
        namespaces { net: 9 uts: 2 }
      }
    }
  )pb"));

  EXPECT_THAT(Show(&table),
              ElementsAre("type: uts inode: 2 leaders: 10 ealdorman: 10 process_count: 1",
                          "type: net inode: 1 leaders: 10 ealdorman: 10 process_count: 1",
                          "type: net inode: 9 loose_threads: 12 loose_threads: 13"));
}

// proc(5): a process whose main thread has ended shows the namespaces of none but its other
// threads.
TEST(NamespaceTable, ThreadOfAnEndedMainThreadIsLoose) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 10
      state: "Z"
      namespaces {}
      threads {
        tid: 12
        namespaces { net: 9 }
      }
    }
  )pb"));

  EXPECT_THAT(Show(&table), ElementsAre("type: net inode: 9 loose_threads: 12"));
}

TEST(NamespaceTable, NamespacesForChildrenAreFound) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 10
      namespaces { pid: 1 pid_for_children: 5 time: 2 time_for_children: 2 }
      threads {
        tid: 11
        namespaces { pid: 1 pid_for_children: 6 time: 2 time_for_children: 2 }
      }
      threads {
        tid: 12
        namespaces { pid: 1 pid_for_children: 5 time: 2 time_for_children: 2 }
      }
    }
  )pb"));

  EXPECT_THAT(Show(&table),
              ElementsAre("type: pid inode: 1 leaders: 10 ealdorman: 10 process_count: 1",
                          "type: pid inode: 5 for_children_of: 10",
                          "type: pid inode: 6 for_children_of: 11",
                          "type: time inode: 2 leaders: 10 ealdorman: 10 process_count: 1"));
}

TEST(NamespaceTable, InitialNamespacesAreToldByTheirFixedInodes) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 1
      namespaces { user: 4026531837 mnt: 4026531840 }
    }
  )pb"));

  EXPECT_THAT(Show(&table),
              ElementsAre("type: mnt inode: 4026531840 leaders: 1 ealdorman: 1 process_count: 1",
                          "type: user inode: 4026531837 initial: true leaders: 1 ealdorman: 1 "
                          "process_count: 1"));
}

// Kernels before 6.18 deal the inodes of the initial mnt and net namespaces like any other.
TEST(NamespaceTable, InitialNamespacesWithDealtInodesAreToldByKernelThreads) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 1
      namespaces { net: 4026531900 ipc: 5 }
    }
    processes {
      pid: 2
      kernel_thread: true
      namespaces { net: 4026531840 ipc: 5 }
    }
    processes {
      pid: 30
      parent_pid: 2
      kernel_thread: true
      namespaces { net: 4026531841 }
    }
  )pb"));

  EXPECT_THAT(Show(&table, {NamespaceType::kNet}),
              ElementsAre("type: net inode: 4026531840 initial: true leaders: 2 ealdorman: 2 "
                          "process_count: 1",
                          "type: net inode: 4026531841 leaders: 30 ealdorman: 30 process_count: 1",
                          "type: net inode: 4026531900 leaders: 1 ealdorman: 1 process_count: 1"));
}

TEST(NamespaceTable, TypesSelectWhatIsListed) {
  NamespaceTable table;
  table.AddProcesses(Processes(R"pb(
    processes {
      pid: 1
      namespaces { user: 3 mnt: 4 net: 5 }
    }
  )pb"));

  EXPECT_THAT(Show(&table, {NamespaceType::kNet, NamespaceType::kMnt}),
              ElementsAre("type: mnt inode: 4 leaders: 1 ealdorman: 1 process_count: 1",
                          "type: net inode: 5 leaders: 1 ealdorman: 1 process_count: 1"));
}

TEST(NamespaceTable, WithoutProcessesIsEmpty) {
  NamespaceTable table;
  table.AddProcesses({});

  EXPECT_THAT(Show(&table), IsEmpty());
}

}  // namespace
}  // namespace nsctl::nsdisc
