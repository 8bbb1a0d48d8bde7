#include "cmd/inspect_result.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using google::protobuf::TextFormat;
using ::testing::ElementsAre;

class BuildInspectionTest : public ::testing::Test {
 protected:
  BuildInspectionTest() : snapshot_(MakeSnapshot()), index_(snapshot_) {}

  static nsdisc::Snapshot MakeSnapshot() {
    nsdisc::Snapshot snapshot;
    EXPECT_TRUE(TextFormat::ParseFromString(
        R"pb(
          scanner {
            pid: 1
            namespaces { pid: 30 }
          }
          namespaces { type: mnt inode: 10 owner: 20 initial: true leaders: 1 process_count: 2 }
          namespaces {
            type: user
            inode: 20
            initial: true
            children: 21
            owner_uid: 0
            owner_user: "root"
            leaders: 1
            process_count: 2
          }
          namespaces { type: user inode: 21 parent: 20 owner_uid: 7 }
          namespaces { type: pid inode: 30 owner: 20 initial: true children: 31 }
          namespaces {
            type: pid
            inode: 31
            owner: 21
            parent: 30
            for_children_of: [ 5, 6 ]
          }
          namespaces {
            type: net
            inode: 40
            owner: 21
            loose_threads: 6
            fds { kind: tun pid: 1 fd: 3 }
            fds { kind: namespace_file pid: 5 tid: 6 fd: 4 }
            fd_count: 2
            sockets { kind: socket pid: 5 fd: 7 socket_inode: 77 count: 1 }
            socket_count: 1
          }
          processes {
            pid: 1
            name: "init"
            namespaces { mnt: 10 user: 20 pid: 30 }
          }
          processes {
            pid: 5
            parent_pid: 1
            name: "app"
            namespaces { mnt: 10 user: 20 pid: 30 pid_for_children: 31 }
            cgroups: 1
            threads { tid: 6 }
          }
          cgroups { unified: "/" }
          cgroups { unified: "/app" frozen: false }
          gaps { subject: "tid:6" operation: "x" error: "EACCES" consequence: "y" count: 1 }
          gaps { subject: "pid:1" operation: "x" error: "EACCES" consequence: "y" count: 1 }
        )pb",
        &snapshot));
    return snapshot;
  }

  const nsdisc::Snapshot snapshot_;
  const nsdisc::SnapshotIndex index_;
};

TEST_F(BuildInspectionTest, TellsAllOfAProcess) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Inspection inspection,
                             BuildInspection(index_, {.process = index_.FindProcess(5)}));

  EXPECT_FALSE(inspection.has_namespace_());
  InspectedProcess rest = inspection.process();
  EXPECT_EQ(rest.process().name(), "app");
  EXPECT_FALSE(rest.process().has_cgroups());
  rest.clear_process();
  InspectedProcess expected;
  ASSERT_TRUE(TextFormat::ParseFromString(
      R"pb(
        parent_name: "init"
        pids { pid_namespace: 30 pid: 5 }
        namespaces { namespace { type: mnt inode: 10 initial: true } }
        namespaces { namespace { type: user inode: 20 initial: true } }
        namespaces { namespace { type: pid inode: 30 initial: true } }
        namespaces {
          namespace { type: pid inode: 31 }
          for_children: true
        }
        cgroups { unified: "/app" frozen: false }
        holds {
          namespace { type: pid inode: 31 }
          kind: "for-children"
        }
        holds {
          namespace { type: pid inode: 31 }
          kind: "for-children"
          tid: 6
        }
        holds {
          namespace { type: net inode: 40 }
          kind: "thread"
          tid: 6
        }
        holds {
          namespace { type: net inode: 40 }
          kind: "fd"
          fd { kind: namespace_file pid: 5 tid: 6 fd: 4 }
        }
        holds {
          namespace { type: net inode: 40 }
          kind: "socket"
          fd { kind: socket pid: 5 fd: 7 socket_inode: 77 count: 1 }
        }
      )pb",
      &expected));
  EXPECT_EQ(rest.DebugString(), expected.DebugString());
  ASSERT_EQ(inspection.gaps_size(), 1);
  EXPECT_EQ(inspection.gaps(0).subject(), "tid:6");
}

TEST_F(BuildInspectionTest, TellsAllOfANamespace) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const Inspection inspection,
      BuildInspection(index_, {.ns = index_.FindNamespace(NamespaceType::kUser, 21)}));

  EXPECT_FALSE(inspection.has_process());
  InspectedNamespace expected;
  ASSERT_TRUE(TextFormat::ParseFromString(
      R"pb(
        row {
          namespace { type: user inode: 21 parent: 20 owner_uid: 7 }
          owned_count: 2
          state: persistent
          held_by { kind: "owned" count: 2 }
        }
        parent { type: user inode: 20 initial: true owner_uid: 0 owner_user: "root" }
        owned { type: pid inode: 31 }
        owned { type: net inode: 40 }
        reference { type: user inode: 21 }
      )pb",
      &expected));
  EXPECT_EQ(inspection.namespace_().DebugString(), expected.DebugString());
}

TEST_F(BuildInspectionTest, NamesLeadersAndOwner) {
  NSCTL_ASSERT_OK_AND_ASSIGN(
      const Inspection inspection,
      BuildInspection(index_, {.ns = index_.FindNamespace(NamespaceType::kMnt, 10)}));

  std::vector<std::string> leaders;
  for (const nsdisc::Process& leader : inspection.namespace_().leaders()) {
    leaders.push_back(leader.name());
  }
  EXPECT_THAT(leaders, ElementsAre("init"));
  EXPECT_EQ(inspection.namespace_().owner().inode(), 20);
  EXPECT_EQ(inspection.namespace_().owner().owner_user(), "root");
}

}  // namespace
}  // namespace nsctl::cmd
