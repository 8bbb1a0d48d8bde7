#include "cmd/ps_result.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using base::Pid;
using ::testing::ElementsAre;
using testing::StatusIs;

// pid:[10] is scanned, pid:[11] in it, pid:[12] in that. Process 1 shows no links.
constexpr char kHost[] = R"pb(
  namespaces { type: user inode: 20 initial: true owner_uid: 0 owner_user: "root" }
  namespaces { type: pid inode: 10 children: 11 initial: true owner: 20 }
  namespaces { type: pid inode: 11 parent: 10 children: 12 owner: 20 }
  namespaces { type: pid inode: 12 parent: 11 owner: 77 }
  namespaces { type: net inode: 30 }
  namespaces { type: net inode: 31 }
  processes { pid: 1 uid: 0 namespaces_error: "EACCES" cgroups: 0 }
  processes {
    pid: 2
    uid: 0
    namespaces { pid: 10 net: 30 }
  }
  processes {
    pid: 5
    parent_pid: 1
    uid: 0
    namespaces { pid: 10 net: 30 }
    threads {
      tid: 6
      namespaces { pid: 10 net: 31 }
      cgroups: 0
    }
    threads {
      tid: 7
      namespaces { pid: 10 net: 30 }
    }
  }
  processes {
    pid: 20
    parent_pid: 5
    uid: 0
    namespaces { pid: 11 net: 31 }
    namespaced_pids: [ 20, 1 ]
  }
  processes {
    pid: 21
    parent_pid: 5
    uid: 0
    namespaces { pid: 10 net: 30 }
  }
  processes {
    pid: 22
    parent_pid: 5
    uid: 0
    namespaces { pid: 11 net: 31 }
    namespaced_pids: [ 22, 5 ]
  }
  processes {
    pid: 30
    parent_pid: 20
    uid: 0
    namespaces { pid: 12 net: 31 }
    namespaced_pids: [ 30, 7, 1 ]
  }
  cgroups { unified: "/a" }
)pb";

nsdisc::Snapshot Host(const std::string& more = "") {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kHost + more, &snapshot)) << more;
  return snapshot;
}

// Each row with its depth: ":10" for a namespace, "20/1" for a process, "[6]" for a thread, and "~"
// after relatives.
std::vector<std::string> Sketch(const ProcessTree& tree) {
  std::vector<std::string> lines;
  for (const ProcessTree::Row& row : tree.rows()) {
    const std::string numbers =
        absl::StrJoin(row.pids(), "/", [](std::string* out, const ProcessTree::Number& number) {
          absl::StrAppend(out, number.pid());
        });
    const std::string text =
        row.has_pid_namespace() ? absl::StrCat(":", row.pid_namespace().inode())
        : row.has_thread()      ? absl::StrCat("[", numbers, "] of ", row.thread_of())
                                : numbers;
    lines.push_back(absl::StrCat(std::string(row.depth(), ' '), text, row.relative() ? "~" : ""));
  }
  return lines;
}

std::vector<std::string> Sketch(const PsRequest& request, const std::string& more = "") {
  const auto tree = BuildProcessTree(Host(more), request);
  EXPECT_TRUE(tree.ok()) << tree.status();
  return tree.ok() ? Sketch(*tree) : std::vector<std::string>();
}

TEST(BuildProcessTree, HasNamespacesWhereProcessesEnterThem) {
  EXPECT_THAT(Sketch(PsRequest{}), ElementsAre(":10", " 1", "  5", "   :11", "    20/1", "     :12",
                                               "      30/7/1", "    22/5", "   21", " 2"));
}

TEST(BuildProcessTree, GivesFactsOfProcessesAndNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessTree tree, BuildProcessTree(Host(), {}));

  EXPECT_EQ(tree.rows(0).owner().owner_user(), "root");
  EXPECT_EQ(tree.rows(1).cgroup(), "/a");
  EXPECT_FALSE(tree.rows(1).process().has_cgroups());
  EXPECT_FALSE(tree.rows(5).owner().has_owner_uid()) << "the snapshot does not have its owner";
  ASSERT_EQ(tree.rows(6).pids_size(), 3);
  EXPECT_EQ(tree.rows(6).pids(0).pid_namespace(), 10u);
  EXPECT_EQ(tree.rows(6).pids(1).pid_namespace(), 11u);
  EXPECT_EQ(tree.rows(6).pids(2).pid_namespace(), 12u);
}

TEST(BuildProcessTree, PutsThreadsBeforeChildren) {
  PsRequest request;
  request.threads = true;

  EXPECT_THAT(Sketch(request),
              ElementsAre(":10", " 1", "  5", "   [6] of 5", "   [7] of 5", "   :11", "    20/1",
                          "     :12", "      30/7/1", "    22/5", "   21", " 2"));
}

TEST(BuildProcessTree, ShowsAncestorsAndDescendantsOfWhatIsAskedFor) {
  EXPECT_THAT(Sketch({.pids = {{Pid{20}}}}),
              ElementsAre(":10", " 1~", "  5~", "   :11", "    20/1", "     :12", "      30/7/1~"));
  EXPECT_THAT(Sketch({.pids = {{Pid{2}}, {Pid{21}}}}),
              ElementsAre(":10", " 1~", "  5~", "   21", " 2"));
  EXPECT_THAT(Sketch({.pids = {{Pid{1}}, {Pid{5}}}}).size(), 9u);
}

TEST(BuildProcessTree, TranslatesNumbersOfOtherNamespaces) {
  const std::vector<std::string> branch = {":10",       " 1~",      "  5~",        "   :11",
                                           "    20/1~", "     :12", "      30/7/1"};
  EXPECT_EQ(Sketch({.pids = {{.pid = Pid{7}, .pid_namespace = 11}}}), branch);
  EXPECT_EQ(Sketch({.pids = {{.pid = Pid{1}, .pid_namespace = 12}}}), branch);
  EXPECT_EQ(Sketch({.pids = {{.pid = Pid{30}, .pid_namespace = 10}}}), branch);
}

TEST(BuildProcessTree, KeepsProcessesOfNamespaces) {
  EXPECT_THAT(Sketch({.namespaces = {{NamespaceType::kNet, 31}}}),
              ElementsAre(":11", " 20/1", "  :12", "   30/7/1", " 22/5"));
  EXPECT_THAT(Sketch({.namespaces = {{NamespaceType::kNet, 31}, {NamespaceType::kPid, 12}}}),
              ElementsAre(":12", " 30/7/1"));
  EXPECT_THAT(Sketch({.namespaces = {{std::nullopt, 10}}}),
              ElementsAre(":10", " 1", "  5", "   21", " 2"))
      << "process 1 is known to be there by its number";
  EXPECT_THAT(Sketch({.namespaces = {{NamespaceType::kNet, 31}}, .threads = true}),
              ElementsAre(":10", " 5", "  [6] of 5", "  :11", "   20/1", "    :12", "     30/7/1",
                          "   22/5"));
}

// pidtree's users give the namespace of a PID in this way.
TEST(BuildProcessTree, TakesPlainNumbersAsThoseOfTheOneNamespace) {
  const PsRequest inner{.pids = {{Pid{5}}}, .namespaces = {{NamespaceType::kPid, 11}}};
  EXPECT_THAT(Sketch(inner), ElementsAre(":11", " 22/5"));
  const PsRequest outer{.pids = {{Pid{22}}}, .namespaces = {{NamespaceType::kPid, 11}}};
  EXPECT_THAT(Sketch(outer), ElementsAre(":11", " 22/5"));
}

TEST(BuildProcessTree, DoesNotChooseBetweenTwoProcesses) {
  const std::string more = R"pb(
    processes {
      pid: 40
      parent_pid: 5
      uid: 0
      namespaces { pid: 11 }
      namespaced_pids: [ 40, 22 ]
    }
  )pb";
  const PsRequest request{.pids = {{Pid{22}}}, .namespaces = {{NamespaceType::kPid, 11}}};
  EXPECT_THAT(BuildProcessTree(Host(more), request),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "process 22 may be (22/5) or (40/22); the latter is 22@pid:[11], the "
                       "former needs no --ns"));
}

TEST(BuildProcessTree, KnowsNoSuchProcessOrNamespace) {
  EXPECT_THAT(BuildProcessTree(Host(), {.pids = {{Pid{99}}}}),
              StatusIs(absl::StatusCode::kNotFound, "no process 99"));
  EXPECT_THAT(BuildProcessTree(Host(), {.namespaces = {{NamespaceType::kUts, 31}}}),
              StatusIs(absl::StatusCode::kNotFound, "no namespace uts:[31]"));
}

// As a container's own procfs shows them: the parents of some are outside.
TEST(BuildProcessTree, GathersProcessesWithoutParentByNamespace) {
  EXPECT_THAT(
      Sketch(PsRequest{}, R"pb(
        processes {
          pid: 40
          parent_pid: 0
          uid: 0
          namespaces { pid: 11 }
          namespaced_pids: [ 40, 9 ]
        }
        processes { pid: 41 parent_pid: 39 namespaces_error: "EACCES" }
        processes { pid: 42 parent_pid: 41 namespaces_error: "EACCES" }
        processes {
          pid: 43
          parent_pid: 42
          uid: 0
          namespaces { pid: 10 }
        }
      )pb"),
      ElementsAre(":10", " 1", "  5", "   :11", "    20/1", "     :12", "      30/7/1", "    22/5",
                  "   21", " 2", ":11", " 40/9", ":0", " 41", "  42", "   :10", "    43"));
}

// The count of its numbers says that it is not where its parent is.
TEST(BuildProcessTree, ShowsThatAProcessIsInAnotherNamespaceThoughNotInWhich) {
  EXPECT_THAT(Sketch(PsRequest{.pids = {{Pid{40}}}}, R"pb(
                processes {
                  pid: 40
                  parent_pid: 2
                  uid: 0
                  namespaces_error: "EACCES"
                  namespaced_pids: [ 40, 3 ]
                }
                processes {
                  pid: 41
                  parent_pid: 40
                  uid: 0
                  namespaces_error: "EACCES"
                  namespaced_pids: [ 41, 4 ]
                }
              )pb"),
              ElementsAre(":10", " 2~", "  :0", "   40/3", "    41/4~"));
}

// A process whose parent has a greater number: numbers are dealt again from the beginning.
TEST(BuildProcessTree, FollowsParentsWithGreaterNumbers) {
  EXPECT_THAT(Sketch(PsRequest{.pids = {{Pid{42}}}}, R"pb(
                processes { pid: 40 parent_pid: 41 }
                processes { pid: 41 parent_pid: 42 }
                processes { pid: 42 parent_pid: 2 }
              )pb"),
              ElementsAre(":10", " 2~", "  42", "   41~", "    40~"));
}

TEST(BuildProcessTree, GoesAsDeepAsProcessesDo) {
  constexpr int kDepth = 100000;
  nsdisc::Snapshot snapshot;
  for (int pid = 1; pid <= kDepth; ++pid) {
    nsdisc::Process* const process = snapshot.add_processes();
    process->set_pid(pid);
    process->set_parent_pid(pid - 1);
    process->mutable_namespaces()->set_pid(10);
  }

  NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessTree tree,
                             BuildProcessTree(snapshot, {.pids = {{Pid{kDepth / 2}}}}));

  ASSERT_EQ(tree.rows_size(), kDepth + 1);
  EXPECT_EQ(tree.rows(kDepth).depth(), static_cast<uint32_t>(kDepth));
}

}  // namespace
}  // namespace nsctl::cmd
