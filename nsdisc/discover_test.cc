// Discovery on recorded trees: the whole result, and what must not change it.

#include "nsdisc/discover.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot_io.h"
#include "nsdisc/users.h"
#include "testing/fake_lineage.h"
#include "testing/recorded_tree.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using testing::FakeLineage;
using testing::IsOk;
using testing::TestDirectory;

// stat from field 3 on: 22 is the start time, 20 the number of threads.
std::string StatLine(int pid, absl::string_view name, int parent, int threads, int start_time,
                     absl::string_view state = "S") {
  return absl::StrCat(pid, " (", name, ") ", state, " ", parent,
                      " 0 0 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 ", threads, " 0 ", start_time,
                      " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
}

class DiscoverTest : public ::testing::Test {
 protected:
  std::unique_ptr<Snapshot> Scan(const std::string& tree, DiscoverOptions options = {}) {
    const std::string root = absl::StrCat(directory_.path(), "/procfs", ++trees_);
    EXPECT_THAT(testing::UnpackRecordedTree(tree, root), IsOk());
    const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::At(root);
    EXPECT_THAT(procfs, IsOk());
    absl::StatusOr<std::unique_ptr<FakeLineage>> lineage = FakeLineage::FromRecordedTree(tree);
    EXPECT_THAT(lineage, IsOk());
    options.now = absl::FromUnixSeconds(1000);
    absl::StatusOr<std::unique_ptr<Snapshot>> snapshot = Discover(*procfs, **lineage, options);
    EXPECT_THAT(snapshot, IsOk());
    EXPECT_THAT(CheckSnapshot(**snapshot), IsOk());
    // Where the tree lies differs from run to run.
    EXPECT_EQ((*snapshot)->options().procfs(), root);
    (*snapshot)->mutable_options()->set_procfs("/recorded");
    for (Namespace& ns : *(*snapshot)->mutable_namespaces()) {
      for (std::string& path : *ns.mutable_reference()) {
        if (absl::StartsWith(path, root)) path.replace(0, root.size(), "/recorded");
      }
    }
    return *std::move(snapshot);
  }

  void ExpectResult(const Snapshot& actual, const std::string& expected_text) {
    Snapshot expected;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected));
    std::string difference;
    google::protobuf::util::MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(expected, actual)) << difference;
  }

 private:
  TestDirectory directory_;
  int trees_ = 0;
};

// An initial process with a thread in an own net namespace, and a container whose user namespace is
// the child of one that no process is in.
std::string SmallHost() {
  return absl::StrCat(
      "f sys/kernel/hostname\n|box\n", "f sys/kernel/osrelease\n|6.18.0\n",
      "f sys/kernel/random/boot_id\n|b007\n",                              //
      "f 1/stat\n|", StatLine(1, "init", 0, 2, 5), "\n",                   //
      "f 1/status\n|Uid:\\x090\\x090\\x090\\x090\n|NSpid:\\x091\n",        //
      "f 1/cmdline\n:/sbin/init\\x00\n", "f 1/cgroup\n|0::/init.scope\n",  //
      "l 1/ns/user user:[4026531837]\n", "l 1/ns/net net:[4026531833]\n",  //
      "l 1/ns/pid pid:[4026531836]\n", "l 1/ns/pid_for_children pid:[4026531836]\n",
      "l 1/task/1/ns/net net:[4026531833]\n", "f 1/task/3/stat\n|", StatLine(3, "worker", 0, 2, 9),
      "\n", "f 1/task/3/cgroup\n|0::/init.scope\n", "l 1/task/3/ns/user user:[4026531837]\n",
      "l 1/task/3/ns/net net:[4026532500]\n", "l 1/task/3/ns/pid pid:[4026531836]\n",
      "l 1/task/3/ns/pid_for_children pid:[4026531836]\n", "f 20/stat\n|",
      StatLine(20, "a) b", 1, 1, 50), "\n",
      "f 20/status\n|Uid:\\x091000\\x091001\\x091000\\x091000\n", "|NSpid:\\x0920\\x091\n",
      "f 20/cmdline\n:sh\\x00-c\\x00\\xff\n",
      "f 20/cgroup\n|0::/a:b\n",  //
      "l 20/ns/user user:[4026532602]\n", "l 20/ns/net net:[4026531833]\n",
      "l 20/ns/pid pid:[4026532603]\n", "l 20/ns/pid_for_children pid:[4026532603]\n",
      "f 20/uid_map\n|0 1000 1\n", "f 20/gid_map\n", "f 20/setgroups\n|deny\n",
      "n user 4026531837 device=0:4 parent=EPERM owner_uid=0 kernel_id=3\n",
      "n user 4026532601 device=0:4 parent=4026531837 owner_uid=1000\n",
      "n user 4026532602 device=0:4 parent=4026532601 owner_uid=1000\n",
      "n net 4026531833 device=0:4 owner=4026531837 kernel_id=4\n",
      "n net 4026532500 device=0:4 owner=EPERM\n",
      "n pid 4026531836 device=0:4 owner=4026531837 parent=EPERM\n",
      "n pid 4026532603 device=0:4 owner=4026532602 parent=4026531836\n");
}

TEST_F(DiscoverTest, RelatesEverythingThatIsThere) {
  const UserNames users = {{0, "root"}, {1000, "me"}, {1001, "you\\"}};
  DiscoverOptions options;
  options.users = &users;

  const std::unique_ptr<Snapshot> snapshot = Scan(SmallHost(), options);

  ExpectResult(*snapshot, R"pb(
    format: "nsctl.snapshot.v1"
    producer: "0.1.0"
    taken_at { seconds: 1000 }
    host { hostname: "box" kernel_release: "6.18.0" boot_id: "b007" }
    options { threads: loose procfs: "/recorded" }
    statistics {
      namespaces: 7
      processes: 2
      threads: 1
      gaps: 1
      sources { source: processes examined: 2 found: 5 }
      sources { source: threads examined: 1 found: 1 }
      sources { source: fds }
      sources { source: sockets state: unavailable }
      sources { source: bind_mounts state: unavailable }
      sources { source: relations found: 1 }
      sources { source: mount_namespace_list state: unavailable }
      sources { source: namespace_list state: unavailable }
      sources { source: bpf state: off }
    }
    namespaces {
      type: user
      inode: 4026531837
      device_major: 0
      device_minor: 4
      kernel_id: 3
      initial: true
      children: 4026532601
      owner_uid: 0
      owner_user: "root"
      reference: "/recorded/1/ns/user"
      leaders: 1
      ealdorman: 1
      process_count: 1
    }
    namespaces {
      type: user
      inode: 4026532601
      device_major: 0
      device_minor: 4
      parent: 4026531837
      children: 4026532602
      owner_uid: 1000
      owner_user: "me"
    }
    namespaces {
      type: user
      inode: 4026532602
      device_major: 0
      device_minor: 4
      parent: 4026532601
      owner_uid: 1000
      owner_user: "me"
      reference: "/recorded/20/ns/user"
      leaders: 20
      ealdorman: 20
      process_count: 1
      uid_map { inside: 0 outside: 1000 count: 1 }
      setgroups_allowed: false
    }
    namespaces {
      type: pid
      inode: 4026531836
      device_major: 0
      device_minor: 4
      initial: true
      owner: 4026531837
      children: 4026532603
      reference: "/recorded/1/ns/pid"
      leaders: 1
      ealdorman: 1
      process_count: 1
    }
    namespaces {
      type: pid
      inode: 4026532603
      device_major: 0
      device_minor: 4
      owner: 4026532602
      parent: 4026531836
      reference: "/recorded/20/ns/pid"
      leaders: 20
      ealdorman: 20
      process_count: 1
    }
    namespaces {
      type: net
      inode: 4026531833
      device_major: 0
      device_minor: 4
      kernel_id: 4
      initial: true
      owner: 4026531837
      reference: "/recorded/1/ns/net"
      leaders: 1
      ealdorman: 1
      process_count: 2
    }
    namespaces {
      type: net
      inode: 4026532500
      device_major: 0
      device_minor: 4
      reference: "/recorded/1/task/3/ns/net"
      loose_threads: 3
    }
    processes {
      pid: 1
      start_time: 5
      name: "init"
      command_line: "/sbin/init"
      state: "S"
      uid: 0
      user: "root"
      namespaces { user: 4026531837 pid: 4026531836 net: 4026531833 pid_for_children: 4026531836 }
      cgroups: 1
      scheduling {}
      thread_count: 2
      threads {
        tid: 3
        start_time: 9
        name: "worker"
        namespaces { user: 4026531837 pid: 4026531836 net: 4026532500 pid_for_children: 4026531836 }
        cgroups: 1
        scheduling {}
      }
    }
    processes {
      pid: 20
      start_time: 50
      parent_pid: 1
      name: "a) b"
      command_line: "sh"
      command_line: "-c"
      command_line: "\\xff"
      state: "S"
      uid: 1001
      user: "you\\\\"
      namespaces { user: 4026532602 pid: 4026532603 net: 4026531833 pid_for_children: 4026532603 }
      namespaced_pids: 20
      namespaced_pids: 1
      cgroups: 0
      scheduling {}
      thread_count: 1
    }
    gaps {
      subject: "net:[4026532500]"
      operation: "ioctl NS_GET_USERNS"
      error: "EPERM"
      consequence: "its owner is unknown"
      count: 1
    }
    cgroups { unified: "/a:b" }
    cgroups { unified: "/init.scope" }
    complete: true
  )pb");
}

TEST_F(DiscoverTest, EmptyProcfsIsAnEmptyResult) {
  const std::unique_ptr<Snapshot> snapshot = Scan("d sys\n");

  ExpectResult(*snapshot, R"pb(
    format: "nsctl.snapshot.v1"
    producer: "0.1.0"
    taken_at { seconds: 1000 }
    host {}
    options { threads: loose procfs: "/recorded" }
    statistics {
      sources { source: processes }
      sources { source: threads }
      sources { source: fds }
      sources { source: sockets state: unavailable }
      sources { source: bind_mounts state: unavailable }
      sources { source: relations }
      sources { source: mount_namespace_list state: unavailable }
      sources { source: namespace_list state: unavailable }
      sources { source: bpf state: off }
    }
    complete: true
  )pb");
}

TEST_F(DiscoverTest, ReadsCapabilitiesWhereTheyAreWanted) {
  const std::string tree = absl::StrCat(
      "f 1/stat\n|", StatLine(1, "init", 0, 1, 1), "\n",
      "f 1/status\n|Uid:\\x090\\x090\n|CapInh:\\x091\n|CapPrm:\\x092\n|CapEff:\\x094\n",
      "|CapBnd:\\x098\n|CapAmb:\\x0910\n|NoNewPrivs:\\x090\n", "f 1/cmdline\n", "f 1/cgroup\n",
      "l 1/ns/pid pid:[4026531836]\n", "l self 1\n", "f sys/kernel/cap_last_cap\n|40\n");
  DiscoverOptions options;
  options.capabilities = CapabilitySets::kAll;

  const std::unique_ptr<Snapshot> with = Scan(tree, options);
  const std::unique_ptr<Snapshot> without = Scan(tree);

  const Capabilities& capabilities = with->processes(0).capabilities();
  EXPECT_EQ(capabilities.inheritable(), 1u);
  EXPECT_EQ(capabilities.permitted(), 2u);
  EXPECT_EQ(capabilities.effective(), 4u);
  EXPECT_EQ(capabilities.bounding(), 8u);
  EXPECT_EQ(capabilities.ambient(), 16u);
  EXPECT_TRUE(capabilities.has_no_new_privileges());
  EXPECT_TRUE(with->options().capabilities());
  EXPECT_EQ(with->host().last_capability(), 40u);
  EXPECT_EQ(with->scanner().pid(), 1);
  EXPECT_EQ(with->scanner().namespaces().pid(), 4026531836u);
  EXPECT_FALSE(without->processes(0).has_capabilities());
  EXPECT_FALSE(without->options().capabilities());
}

// The directory of a process that ended after it was listed answers no more.
TEST_F(DiscoverTest, CountsWhatVanished) {
  const std::unique_ptr<Snapshot> snapshot =
      Scan(absl::StrCat("d 7\n", "f 8/stat\n|", StatLine(8, "a", 0, 2, 1), "\n",
                        "f 8/status\n|Uid:\\x090\\x090\n", "f 8/cmdline\n", "f 8/cgroup\n",
                        "l 8/task/9/ns/net net:[5]\n", "n net 5 device=0:4 owner=EPERM\n"));

  snapshot->mutable_statistics()->clear_sources();
  EXPECT_EQ(snapshot->statistics().ShortDebugString(),
            "processes: 1 vanished_processes: 1 vanished_threads: 1");
}

// Two processes that hold namespaces by descriptors, one a mount namespace in whose mounts there is
// a network namespace.
std::string HostOfHolders() {
  return absl::StrCat(
      "f 1/stat\n|", StatLine(1, "init", 0, 1, 5), "\n", "f 1/status\n|Uid:\\x090\\x090\n",
      "f 1/cmdline\n", "f 1/cgroup\n", "l 1/ns/mnt mnt:[4026531832]\n",
      "f 1/mountinfo\n|20 1 8:1 / / rw - ext4 /dev/root rw\n"
      "|21 20 0:4 net:[4026532700] /run/a\\\\040b rw shared:3 - nsfs nsfs rw\n"
      "|22 20 0:4 net:[4026532700] /mnt/x/ns rw - nsfs nsfs rw\n"
      "|23 20 0:9 / /mnt/x rw - tmpfs none rw\n",
      "l 1/fd/0 /dev/null\n", "l 1/fd/3 uts:[4026532800]\n", "l 1/fd/4 socket:[77]\n",
      "l 1/fd/5 net:[x]\n", "f 9/stat\n|", StatLine(9, "b", 1, 1, 7), "\n",
      "f 9/status\n|Uid:\\x090\\x090\n", "f 9/cmdline\n", "f 9/cgroup\n",
      "l 9/ns/mnt mnt:[4026531832]\n", "l 9/fd/12 uts:[4026532800]\n",
      "l 9/fd/2 anon_inode:[pidfd]\n", "f 9/fdinfo/2\n|pos:\\x090\n|Pid:\\x09-1\n|NSpid:\\x09-1\n",
      "n mnt 4026531832 device=0:4 owner=EPERM\n", "n net 4026532700 device=0:4 owner=EPERM\n",
      "n uts 4026532800 device=0:4 owner=EPERM\n");
}

TEST_F(DiscoverTest, FindsWhatDescriptorsAndMountsHold) {
  const std::unique_ptr<Snapshot> snapshot = Scan(HostOfHolders());

  ASSERT_EQ(snapshot->namespaces_size(), 3);
  const Namespace& uts = snapshot->namespaces(1);
  EXPECT_EQ(uts.ShortDebugString(),
            "type: uts inode: 4026532800 device_major: 0 device_minor: 4 "
            "reference: \"/recorded/1/fd/3\" "
            "fds { kind: namespace_file pid: 1 fd: 3 } "
            "fds { kind: namespace_file pid: 9 fd: 12 } fd_count: 2");
  const Namespace& net = snapshot->namespaces(2);
  EXPECT_EQ(net.inode(), 4026532700u);
  EXPECT_EQ(net.bind_mount_count(), 2u);
  ASSERT_EQ(net.bind_mounts_size(), 2);
  EXPECT_EQ(net.bind_mounts(0).ShortDebugString(),
            "mount_namespace: 4026531832 path: \"/mnt/x/ns\" hidden: true");
  EXPECT_EQ(net.bind_mounts(1).ShortDebugString(),
            "mount_namespace: 4026531832 path: \"/run/a b\"");
  ASSERT_EQ(net.reference_size(), 2);
  EXPECT_EQ(net.reference(0), "/recorded/1/ns/mnt");
  EXPECT_EQ(snapshot->statistics().ended_pidfds(), 1u);
  EXPECT_EQ(snapshot->statistics().sources(2).ShortDebugString(),
            "source: fds examined: 6 found: 1");
  EXPECT_EQ(snapshot->statistics().sources(4).ShortDebugString(),
            "source: bind_mounts examined: 4 found: 1");
}

TEST_F(DiscoverTest, HasMountsWhereAskedFor) {
  EXPECT_EQ(Scan(HostOfHolders())->mounts_size(), 0);
  DiscoverOptions options;
  options.mounts = true;

  // Also where nobody asked what holds namespaces.
  for (const bool bind_mounts : {true, false}) {
    options.bind_mounts = bind_mounts;
    const std::unique_ptr<Snapshot> snapshot = Scan(HostOfHolders(), options);

    EXPECT_EQ(snapshot->namespaces_size(), bind_mounts ? 3 : 2);
    EXPECT_TRUE(snapshot->options().mounts());
    EXPECT_EQ(snapshot->statistics().mounts(), 4u);
    ASSERT_EQ(snapshot->mounts_size(), 1);
    EXPECT_EQ(snapshot->mounts(0).inode(), 4026531832u);
    ASSERT_EQ(snapshot->mounts(0).mounts_size(), 4);
    EXPECT_EQ(snapshot->mounts(0).mounts(2).mount_point(), "/mnt/x/ns");
    EXPECT_EQ(snapshot->mounts(0).mounts(2).visibility(), mounttree::Mount::covered);
  }
}

TEST_F(DiscoverTest, LeavesOutSourcesThatAreSwitchedOff) {
  DiscoverOptions options;
  options.fds = false;
  options.bind_mounts = false;
  options.kernel_lists = false;

  const std::unique_ptr<Snapshot> snapshot = Scan(HostOfHolders(), options);

  ASSERT_EQ(snapshot->namespaces_size(), 1);
  for (const int source : {2, 3, 4, 6, 7}) {
    EXPECT_EQ(snapshot->statistics().sources(source).state(), SourceReport::off) << source;
  }
}

TEST_F(DiscoverTest, MalformedLinkIsAGapAndItsProcessStays) {
  const std::unique_ptr<Snapshot> snapshot =
      Scan(absl::StrCat("f 8/stat\n|", StatLine(8, "a", 0, 1, 1), "\n",
                        "f 8/status\n|Uid:\\x090\\x090\n", "f 8/cmdline\n", "f 8/cgroup\n",
                        "l 8/ns/net net:[x]\n", "l 8/ns/uts uts:[6]\n", "n uts 6 open=EACCES\n"));

  ASSERT_EQ(snapshot->processes_size(), 1);
  EXPECT_EQ(snapshot->processes(0).namespaces_error(), "EBADMSG");
  EXPECT_EQ(snapshot->processes(0).namespaces().ShortDebugString(), "uts: 6");
  ASSERT_EQ(snapshot->gaps_size(), 2);
  EXPECT_EQ(snapshot->gaps(0).ShortDebugString(),
            "subject: \"pid:8\" operation: \"readlinkat ns\" error: \"EBADMSG\" "
            "consequence: \"its namespaces are unknown\" count: 1");
  EXPECT_EQ(snapshot->gaps(1).ShortDebugString(),
            "subject: \"uts:[6]\" operation: \"open ns/uts\" error: \"EACCES\" "
            "consequence: \"its owner, parent and ids are unknown\" count: 1");
}

// Kernels without time, user or cgroup namespaces have no such links, which is no gap.
TEST_F(DiscoverTest, TypesThatTheKernelLacksAreNotMissed) {
  const std::unique_ptr<Snapshot> snapshot = Scan(
      absl::StrCat("f 1/stat\n|", StatLine(1, "a", 0, 1, 1), "\n",
                   "f 1/status\n|Uid:\\x090\\x090\n", "f 1/cmdline\n", "f 1/cgroup\n",
                   "l 1/ns/net net:[4026531840]\n", "n net 4026531840 device=0:3 owner=EPERM\n"));

  EXPECT_EQ(snapshot->gaps_size(), 0);
  ASSERT_EQ(snapshot->namespaces_size(), 1);
  EXPECT_FALSE(snapshot->namespaces(0).has_owner());
}

// Many processes, so that several workers get some, in an order that depends on chance.
std::string LargeHost(int processes) {
  std::string tree = "n user 4026531837 device=0:4 parent=EPERM owner_uid=0\n";
  for (int i = 1; i <= processes; ++i) {
    const int net = 1000 + i % 50;
    absl::StrAppend(&tree, "f ", i, "/stat\n|", StatLine(i, "p", i / 2, 1, i), "\n",  //
                    "f ", i, "/status\n|Uid:\\x090\\x090\n|NSpid:\\x09", i, "\n",     //
                    "f ", i, "/cmdline\n:p\\x00\n",                                   //
                    "f ", i, "/cgroup\n|0::/", i % 7, "\n",                           //
                    "l ", i, "/ns/user user:[4026531837]\n",                          //
                    "l ", i, "/ns/net net:[", net, "]\n");
  }
  for (int net = 1000; net < 1050; ++net) {
    absl::StrAppend(&tree, "n net ", net, " device=0:4 owner=4026531837\n");
  }
  return tree;
}

TEST_F(DiscoverTest, SameInputSameBytesWithAnyNumberOfWorkers) {
  const std::string tree = LargeHost(200);
  DiscoverOptions one;
  one.worker_threads = 1;
  const std::string expected = Scan(tree, one)->SerializeAsString();

  for (const int workers : {2, 3, 8}) {
    DiscoverOptions options;
    options.worker_threads = workers;
    EXPECT_EQ(Scan(tree, options)->SerializeAsString(), expected) << workers;
  }
}

TEST_F(DiscoverTest, TypesSelectWhatIsListedAndNotWhatIsKnown) {
  DiscoverOptions options;
  options.types = {base::NamespaceType::kPid};

  const std::unique_ptr<Snapshot> snapshot = Scan(SmallHost(), options);

  ASSERT_EQ(snapshot->namespaces_size(), 2);
  EXPECT_EQ(snapshot->namespaces(1).inode(), 4026532603u);
  EXPECT_EQ(snapshot->namespaces(1).owner(), 4026532602u);
  EXPECT_EQ(snapshot->options().types(0), Namespace::pid);
}

}  // namespace
}  // namespace nsctl::nsdisc
