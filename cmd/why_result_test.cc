#include "cmd/why_result.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "cmd/labels.h"
#include "cmd/why_text.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using base::NamespaceType;
using nsdisc::Namespace;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

nsdisc::Snapshot Parse(const char* text) {
  nsdisc::Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

WhyAlive Why(const nsdisc::Snapshot& snapshot, NamespaceType type, uint32_t inode,
             const WhyRequest& request = {}) {
  const nsdisc::SnapshotIndex index(snapshot);
  const Namespace* const target = index.FindNamespace(type, inode);
  EXPECT_NE(target, nullptr);
  return BuildWhy(index, {target}, request);
}

std::vector<std::string> HoldersOf(const KeptNamespace& kept) {
  std::vector<std::string> texts;
  for (const Holder& holder : kept.holders()) texts.push_back(HolderText(holder));
  return texts;
}

// "user:[20] 0 dark": name, distance, verdict.
std::vector<std::string> Sketch(const WhyAlive& why) {
  std::vector<std::string> texts;
  for (const KeptNamespace& kept : why.namespaces()) {
    texts.push_back(absl::StrCat(NamespaceText(kept.namespace_()), " ", kept.distance(), " ",
                                 KeptNamespace::Verdict_Name(kept.verdict())));
  }
  return texts;
}

constexpr char kAllSources[] = R"pb(
  statistics {
    sources { source: threads }
    sources { source: fds }
    sources { source: sockets }
    sources { source: bind_mounts }
    sources { source: mount_namespace_list }
    sources { source: namespace_list }
  }
)pb";

TEST(BuildWhy, ListsEveryKindInItsOrder) {
  nsdisc::Snapshot snapshot = Parse(R"pb(
    namespaces { type: mnt inode: 10 initial: true }
    namespaces {
      type: user
      inode: 20
      children: 21
      leaders: 1
      loose_threads: 9
      process_count: 2
      fds { kind: pidfd pid: 1 fd: 3 target_pid: 2 }
      fds { kind: namespace_file pid: 2 tid: 9 fd: 4 }
      fds { kind: tun pid: 2 fd: 5 }
      fd_count: 3
      sockets { kind: socket pid: 1 fd: 6 socket_inode: 66 count: 3 }
      socket_count: 1
      bind_mounts { mount_namespace: 10 path: "/x" hidden: true }
      bind_mount_count: 1
    }
    namespaces { type: user inode: 21 parent: 20 dark: true }
    namespaces { type: pid inode: 30 owner: 20 for_children_of: 2 for_children_of: 9 }
    processes {
      pid: 1
      name: "a"
      namespaces { user: 20 }
    }
    processes {
      pid: 2
      name: "b"
      namespaced_pids: [ 2, 1 ]
      namespaces { user: 20 }
      threads { tid: 9 }
    }
  )pb");
  snapshot.MergeFrom(Parse(kAllSources));

  const WhyAlive why = Why(snapshot, NamespaceType::kUser, 20);

  EXPECT_THAT(Sketch(why), ElementsAre("user:[20] 0 held_in_sight", "user:[21] 1 dark",
                                       "pid:[30] 1 held_in_sight"));
  EXPECT_THAT(
      HoldersOf(why.namespaces(0)),
      ElementsAre(R"(process "a" (1))", R"(thread 9 of "b" (2/1))",
                  R"(descriptor 4 of thread 9 of "b" (2/1))",
                  R"(TUN/TAP descriptor 5 of "b" (2/1))", R"(pidfd 3 of "a" (1), for process 2)",
                  R"(socket:[66], descriptor 6 of "a" (1) and 2 more)",
                  R"(mounted at "/x" in mnt:[10] (hidden))", "child user:[21]", "owned pid:[30]"));
  EXPECT_THAT(HoldersOf(why.namespaces(1)), IsEmpty());
  EXPECT_THAT(
      HoldersOf(why.namespaces(2)),
      ElementsAre(R"(for children of "b" (2/1))", R"(for children of thread 9 of "b" (2/1))"));
  EXPECT_EQ(why.targets(), 1);
}

TEST(BuildWhy, ListsAllProcessesOnDemand) {
  const nsdisc::Snapshot snapshot = Parse(R"pb(
    namespaces { type: net inode: 40 leaders: 1 process_count: 2 }
    processes {
      pid: 1
      name: "a"
      namespaces { net: 40 }
    }
    processes {
      pid: 2
      name: "b"
      namespaces { net: 40 }
    }
  )pb");

  EXPECT_THAT(HoldersOf(Why(snapshot, NamespaceType::kNet, 40).namespaces(0)),
              ElementsAre(R"(process "a" (1))"));
  EXPECT_THAT(
      HoldersOf(Why(snapshot, NamespaceType::kNet, 40, {.all_processes = true}).namespaces(0)),
      ElementsAre(R"(process "a" (1))", R"(process "b" (2))"));
}

// A mount namespace in which its own owner is mounted.
TEST(BuildWhy, TellsEachNamespaceOnce) {
  nsdisc::Snapshot snapshot = Parse(R"pb(
    namespaces { type: mnt inode: 10 owner: 20 leaders: 1 process_count: 1 }
    namespaces {
      type: user
      inode: 20
      bind_mounts { mount_namespace: 10 path: "/a" }
      bind_mounts { mount_namespace: 10 path: "/b" }
      bind_mount_count: 2
    }
    processes {
      pid: 1
      name: "a"
      namespaces { mnt: 10 }
    }
  )pb");
  snapshot.MergeFrom(Parse(kAllSources));

  EXPECT_THAT(Sketch(Why(snapshot, NamespaceType::kUser, 20)),
              ElementsAre("user:[20] 0 held_in_sight", "mnt:[10] 1 held_in_sight"));
}

TEST(BuildWhy, LeavesOutWhatHoldsNamespacesMadeAtBoot) {
  nsdisc::Snapshot snapshot = Parse(R"pb(
    namespaces { type: mnt inode: 10 owner: 20 initial: true leaders: 1 process_count: 1 }
    namespaces { type: user inode: 20 initial: true leaders: 1 process_count: 1 }
    processes { pid: 1 name: "a" }
  )pb");

  const WhyAlive why = Why(snapshot, NamespaceType::kUser, 20);

  EXPECT_THAT(Sketch(why), ElementsAre("user:[20] 0 never_ends"));
  EXPECT_THAT(HoldersOf(why.namespaces(0)), ElementsAre(R"(process "a" (1))", "owned mnt:[10]"));
  EXPECT_TRUE(why.namespaces(0).holders(1).namespace_().initial());
  EXPECT_THAT(why.namespaces(0).unseen(), IsEmpty());
}

TEST(BuildWhy, SaysWhatMayHideHolders) {
  nsdisc::Snapshot snapshot = Parse(R"pb(
    namespaces { type: uts inode: 50 leaders: 1 process_count: 1 }
    namespaces { type: uts inode: 51 }
    processes { pid: 1 name: "a" }
    gaps {
      subject: "pid:7"
      operation: "readlinkat ns"
      error: "EACCES"
      consequence: "its namespaces are unknown"
      count: 1
    }
    gaps {
      subject: "pid:7"
      operation: "read cgroup"
      error: "EACCES"
      consequence: "its cgroups are unknown"
      count: 1
    }
    gaps {
      subject: "uts:[50]"
      operation: "setns"
      error: "EPERM"
      consequence: "its host name is unknown"
      count: 1
    }
  )pb");
  snapshot.MergeFrom(Parse(kAllSources));

  const WhyAlive why = Why(snapshot, NamespaceType::kUts, 50);

  EXPECT_THAT(Sketch(why), ElementsAre("uts:[50] 0 may_have_more"));
  EXPECT_THAT(why.namespaces(0).unseen(),
              ElementsAre("missing: 1 process (pid:7): readlinkat ns: EACCES: its "
                          "namespaces are unknown"));
  ASSERT_EQ(why.gaps_size(), 2);
  EXPECT_EQ(why.gaps(1).subject(), "uts:[50]");
  EXPECT_THAT(Sketch(Why(snapshot, NamespaceType::kUts, 51)), ElementsAre("uts:[51] 0 ended"));
}

}  // namespace
}  // namespace nsctl::cmd
