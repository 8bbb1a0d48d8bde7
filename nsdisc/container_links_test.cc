#include "nsdisc/container_links.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Snapshot Parse(const std::string& text) {
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &snapshot));
  return snapshot;
}

// PIDs with the ids of the containers that they are in.
std::vector<std::pair<int, std::string>> Linked(const Snapshot& snapshot) {
  const ContainerLinks links = FindContainerLinks(snapshot);
  std::vector<std::pair<int, std::string>> linked;
  for (int i = 0; i < snapshot.processes_size(); ++i) {
    const int container = links.of_process[static_cast<size_t>(i)];
    if (container == ContainerLinks::kNone) continue;
    linked.emplace_back(snapshot.processes(i).pid(), snapshot.containers(container).id());
  }
  return linked;
}

std::vector<std::string> Refused(const Snapshot& snapshot) {
  const ContainerLinks links = FindContainerLinks(snapshot);
  std::vector<std::string> ids;
  for (int i = 0; i < snapshot.containers_size(); ++i) {
    if (links.is_refused[static_cast<size_t>(i)]) ids.push_back(snapshot.containers(i).id());
  }
  return ids;
}

// An init, a daemon (10) with its shim (11), and a container (20) with a child (21), in PID
// namespace 5 below 4. 30 was started in the container from outside of it, 31 by hand in its PID
// namespace alone.
constexpr char kOneContainer[] = R"pb(
  scanner { namespaces { mnt: 1 user: 3 pid: 4 } }
  namespaces { type: pid inode: 4 initial: true children: 5 ealdorman: 1 }
  namespaces { type: pid inode: 5 parent: 4 ealdorman: 20 }
  processes {
    pid: 1
    start_time: 1
    namespaces { mnt: 1 user: 3 pid: 4 }
    cgroups: 0
  }
  processes {
    pid: 10
    parent_pid: 1
    start_time: 9
    namespaces { mnt: 1 user: 3 pid: 4 }
    cgroups: 1
  }
  processes {
    pid: 11
    parent_pid: 1
    start_time: 9
    namespaces { mnt: 1 user: 3 pid: 4 }
    cgroups: 1
  }
  processes {
    pid: 20
    parent_pid: 11
    start_time: 9
    namespaces { mnt: 2 user: 3 pid: 5 }
    cgroups: 2
  }
  processes {
    pid: 21
    parent_pid: 20
    start_time: 9
    namespaces { mnt: 2 user: 3 pid: 5 }
    cgroups: 3
  }
  processes {
    pid: 30
    parent_pid: 11
    start_time: 9
    namespaces { mnt: 2 user: 3 pid: 4 }
    cgroups: 2
  }
  processes {
    pid: 31
    parent_pid: 1
    start_time: 9
    namespaces { mnt: 1 user: 3 pid: 5 }
    cgroups: 0
  }
  cgroups { unified: "/" }
  cgroups { unified: "/system.slice/docker.service" }
  cgroups { unified: "/docker/a" }
  cgroups { unified: "/docker/a/inner" }
  cgroups { unified: "/docker" }
  cgroups { unified: "/docker/b" }
  engines { key: "docker:10@9" pid: 10 start_time: 9 }
  containers { engine: "docker:10@9" id: "a" pid: 20 start_time: 9 })pb";

TEST(FindContainerLinks, LinksByAncestorCgroupAndPidNamespace) {
  EXPECT_THAT(Linked(Parse(kOneContainer)),
              ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(30, "a"), Pair(31, "a")));
}

TEST(FindContainerLinks, DoesWithoutCgroups) {
  Snapshot snapshot = Parse(kOneContainer);
  for (Process& process : *snapshot.mutable_processes()) process.clear_cgroups();

  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(31, "a")));
}

TEST(FindContainerLinks, LinksNothingToAnotherProcessOfTheNumber) {
  Snapshot snapshot = Parse(kOneContainer);
  snapshot.mutable_containers(0)->set_start_time(8);

  EXPECT_THAT(Linked(snapshot), IsEmpty());
  EXPECT_THAT(Refused(snapshot), IsEmpty());
}

// Without a PID namespace of its own, so that the cgroup alone could tell of process 30.
Snapshot InHostPidNamespace(uint32_t cgroups) {
  Snapshot snapshot = Parse(kOneContainer);
  for (Process& process : *snapshot.mutable_processes()) {
    process.mutable_namespaces()->set_pid(4);
    if (process.pid() >= 20 && process.pid() != 31) process.set_cgroups(cgroups);
  }
  return snapshot;
}

TEST(FindContainerLinks, NeedsNoPidNamespace) {
  EXPECT_THAT(Linked(InHostPidNamespace(2)),
              ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(30, "a")));
}

TEST(FindContainerLinks, LinksByNoCgroupThatIsTheRootOrAnEngines) {
  EXPECT_THAT(Linked(InHostPidNamespace(0)), ElementsAre(Pair(20, "a"), Pair(21, "a")));
  EXPECT_THAT(Linked(InHostPidNamespace(1)), ElementsAre(Pair(20, "a"), Pair(21, "a")));
}

TEST(FindContainerLinks, LinksByNoCgroupThatOthersAreInOrBelow) {
  const std::string other = R"pb(
    processes {
      pid: 40
      parent_pid: 11
      start_time: 9
      namespaces { pid: 4 user: 3 }
      cgroups: 5
    }
    containers { engine: "docker:10@9" id: "b" pid: 40 start_time: 9 })pb";
  Snapshot below = InHostPidNamespace(4);
  below.MergeFrom(Parse(other));
  Snapshot same = InHostPidNamespace(5);
  same.MergeFrom(Parse(other));

  EXPECT_THAT(Linked(below), ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(40, "b")));
  EXPECT_THAT(Linked(same), ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(40, "b")));
}

// In container a of the scene above a daemon (22) with a container of its own (23, 24), in which a
// third one (25, 26) shares all namespaces and cgroups with it.
constexpr char kNested[] = R"pb(
  namespaces { type: pid inode: 6 parent: 5 ealdorman: 23 }
  processes {
    pid: 22
    parent_pid: 20
    start_time: 9
    namespaces { mnt: 2 user: 3 pid: 5 }
    cgroups: 2
  }
  processes {
    pid: 23
    parent_pid: 22
    start_time: 9
    namespaces { mnt: 3 user: 3 pid: 6 }
    cgroups: 6
  }
  processes {
    pid: 24
    parent_pid: 22
    start_time: 9
    namespaces { mnt: 3 user: 3 pid: 6 }
    cgroups: 6
  }
  processes {
    pid: 25
    parent_pid: 23
    start_time: 9
    namespaces { mnt: 3 user: 3 pid: 6 }
    cgroups: 6
  }
  processes {
    pid: 26
    parent_pid: 25
    start_time: 9
    namespaces { mnt: 3 user: 3 pid: 6 }
    cgroups: 6
  }
  cgroups { unified: "/docker/a/docker/b" }
  engines { key: "docker:22@9" pid: 22 start_time: 9 }
  containers { engine: "docker:22@9" id: "b" pid: 23 start_time: 9 }
  containers { engine: "docker:22@9" id: "c" pid: 25 start_time: 9 })pb";

// Parsed in the order of PIDs.
Snapshot WithNested(const std::string& nested) {
  Snapshot snapshot = Parse(kOneContainer);
  snapshot.mutable_processes()->DeleteSubrange(5, 2);
  snapshot.MergeFrom(Parse(nested));
  return snapshot;
}

TEST(FindContainerLinks, LinksToTheInnermost) {
  EXPECT_THAT(Linked(WithNested(kNested)),
              ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(22, "a"), Pair(23, "b"), Pair(24, "b"),
                          Pair(25, "c"), Pair(26, "c")));
  EXPECT_THAT(Refused(WithNested(kNested)), IsEmpty());
}

TEST(FindContainerLinks, BelievesNoEngineAboutWhatIsAboveIt) {
  for (const int pid : {1, 10, 11, 20, 22}) {
    Snapshot snapshot = WithNested(kNested);
    // As with --pid=host: nothing but the claim itself is wrong.
    for (Process& process : *snapshot.mutable_processes()) process.mutable_namespaces()->set_pid(4);
    engines::Container& lie = *snapshot.mutable_containers(1);
    lie.set_pid(pid);
    lie.set_start_time(pid == 1 ? 1 : 9);

    EXPECT_THAT(Refused(snapshot), ElementsAre("b")) << pid;
    EXPECT_THAT(Linked(snapshot),
                ElementsAre(Pair(20, "a"), Pair(21, "a"), Pair(22, "a"), Pair(23, "a"),
                            Pair(24, "a"), Pair(25, "c"), Pair(26, "c")))
        << pid;
  }
}

TEST(FindContainerLinks, BelievesNoEngineAboutOutsideOfItsNamespaces) {
  Snapshot outer_pid = WithNested(kNested);
  // The container around the engine is not known.
  outer_pid.mutable_containers(0)->set_pid(0);
  outer_pid.mutable_containers(1)->set_pid(10);
  Snapshot other_user = outer_pid;
  for (Process& process : *other_user.mutable_processes()) process.mutable_namespaces()->set_pid(4);
  other_user.mutable_processes(5)->mutable_namespaces()->set_user(8);
  other_user.MergeFrom(Parse(R"pb(namespaces { type: user inode: 3 initial: true })pb"));
  for (int i = 3; i > 0; --i) other_user.mutable_namespaces()->SwapElements(i, i - 1);

  EXPECT_THAT(Refused(outer_pid), ElementsAre("b"));
  EXPECT_THAT(Refused(other_user), ElementsAre("b", "c"));
}

TEST(FindContainerLinks, BelievesNoUsersEngineAboutOthersProcesses) {
  Snapshot snapshot = Parse(kOneContainer);
  snapshot.mutable_processes(1)->set_uid(1000);
  snapshot.mutable_processes(3)->set_uid(0);

  EXPECT_THAT(Refused(snapshot), ElementsAre("a"));

  snapshot.mutable_processes(3)->mutable_namespaces()->set_user(9);

  EXPECT_THAT(Refused(snapshot), IsEmpty());
}

// In the scene above, the word of user 1000 that a container begins with `pid`.
Snapshot WithUsersWord(int pid) {
  Snapshot snapshot = Parse(kOneContainer);
  snapshot.MergeFrom(
      Parse(
          R"pb(
            namespaces { type: user inode: 3 initial: true children: 7 children: 8 }
            namespaces { type: user inode: 7 parent: 3 owner_uid: 1000 children: 9 }
            namespaces { type: user inode: 8 parent: 3 owner_uid: 0 }
            namespaces { type: user inode: 9 parent: 7 owner_uid: 101000 }
            engines { key: "evidence" type: evidence }
            containers {
              engine: "evidence"
              id: "mine"
              start_time: 9
              foreign: true
              told_by_uid: 1000
            })pb"));
  auto& namespaces = *snapshot.mutable_namespaces();
  std::rotate(namespaces.begin(), namespaces.begin() + 2, namespaces.end());
  for (Process& process : *snapshot.mutable_processes()) {
    process.set_uid(0);
    process.mutable_namespaces()->set_pid(4);
  }
  // Engines that answer tell of no process twice.
  snapshot.mutable_containers(0)->set_pid(0);
  snapshot.mutable_containers(1)->set_pid(pid);
  if (pid == 1) snapshot.mutable_containers(1)->set_start_time(1);
  return snapshot;
}

// Any user can write a runtime's state that names the host's processes.
TEST(FindContainerLinks, BelievesNoUserAboutOthersProcesses) {
  for (const int pid : {1, 10, 11, 20}) {
    EXPECT_THAT(Linked(WithUsersWord(pid)), IsEmpty()) << pid;
    EXPECT_THAT(Refused(WithUsersWord(pid)), ElementsAre("mine")) << pid;
  }
}

// By descent and by the cgroup, where whoever has one delegated to him can move others.
TEST(FindContainerLinks, PutsNoOthersProcessesIntoAUsersContainer) {
  Snapshot snapshot = WithUsersWord(20);
  snapshot.mutable_processes(3)->set_uid(1000);

  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(20, "mine")));

  snapshot.mutable_processes(4)->set_uid(1000);
  snapshot.mutable_processes(5)->set_uid(100999);
  snapshot.mutable_processes(5)->mutable_namespaces()->set_user(9);
  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(20, "mine"), Pair(21, "mine"), Pair(30, "mine")));

  snapshot.mutable_processes(5)->mutable_namespaces()->set_user(8);
  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(20, "mine"), Pair(21, "mine")));
}

TEST(FindContainerLinks, PutsNoOthersProcessesIntoAContainerOfAUsersEngine) {
  Snapshot snapshot = WithUsersWord(0);
  snapshot.mutable_containers(0)->set_pid(20);
  snapshot.mutable_engines(0)->set_foreign(true);
  snapshot.mutable_engines(0)->set_uid(1000);
  for (const int position : {1, 3, 4}) snapshot.mutable_processes(position)->set_uid(1000);

  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(20, "a"), Pair(21, "a")));
}

TEST(FindContainerLinks, EndsWhereContainersClaimToBeInEachOther) {
  Snapshot snapshot = Parse(R"pb(
    processes {
      pid: 2
      parent_pid: 3
      start_time: 9
      cgroups: 0
      namespaces { pid: 4 }
    }
    processes {
      pid: 3
      parent_pid: 2
      start_time: 9
      cgroups: 1
      namespaces { pid: 5 }
    }
    namespaces { type: pid inode: 4 parent: 5 children: 5 ealdorman: 2 }
    namespaces { type: pid inode: 5 parent: 4 children: 4 ealdorman: 3 }
    cgroups { unified: "/a" }
    cgroups { unified: "/a/b" }
    containers { id: "a" pid: 2 start_time: 9 }
    containers { id: "b" pid: 3 start_time: 9 })pb");

  EXPECT_THAT(Linked(snapshot), ElementsAre(Pair(2, "a"), Pair(3, "b")));
}

}  // namespace
}  // namespace nsctl::nsdisc
