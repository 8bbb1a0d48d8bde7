#include <functional>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "nsdisc/snapshot_io.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;

Snapshot ValidSnapshot() {
  constexpr char kText[] = R"pb(
    format: "nsctl.snapshot.v1"
    taken_at { seconds: 1700000000 nanos: 999999999 }
    statistics { namespaces: 5 processes: 3 threads: 2 containers: 2 gaps: 1 }
    namespaces { type: user inode: 1 children: 2 children: 3 leaders: 1 }
    namespaces { type: user inode: 2 parent: 1 leaders: 20 leaders: 30 }
    namespaces { type: user inode: 3 parent: 1 }
    namespaces { type: net inode: 1 owner: 1 for_children_of: 1 }
    namespaces {
      type: net
      inode: 4
      owner: 77
      loose_threads: 21
      loose_threads: 22
      fds { kind: namespace_file pid: 1 fd: 9 }
      fds { kind: tun pid: 20 fd: 3 }
      fd_count: 70000
      sockets { kind: socket pid: 20 fd: 3 }
      sockets { kind: socket pid: 20 tid: 21 fd: 3 }
      socket_count: 2
      bind_mounts { mount_namespace: 8 path: "/a" }
      bind_mounts { mount_namespace: 8 path: "/b" }
      bind_mount_count: 2
    }
    processes { pid: 1 cgroups: 0 }
    processes {
      pid: 20
      parent_pid: 1
      threads { tid: 21 cgroups: 0 }
      threads { tid: 22 }
    }
    processes { pid: 30 parent_pid: 20 container: 1 }
    engines { key: "docker:1@5" }
    engines { key: "docker:2@5" }
    containers {
      engine: "docker:1@5"
      id: "a"
      created_at { seconds: 1700000000 }
    }
    containers { engine: "docker:1@5" id: "b" }
    pods { engine: "podman:1@5" id: "p" }
    pods { engine: "podman:1@5" native_namespace: "k8s.io" id: "a" }
    cgroups { unified: "/" }
    gaps { subject: "pid:1" operation: "readlinkat ns/net" error: "EACCES" count: 1 }
    complete: true
  )pb";
  Snapshot snapshot;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kText, &snapshot));
  return snapshot;
}

TEST(CheckSnapshot, AcceptsAConsistentOne) { EXPECT_THAT(CheckSnapshot(ValidSnapshot()), IsOk()); }

TEST(CheckSnapshot, AcceptsAnEmptyHost) {
  Snapshot snapshot;
  snapshot.set_format(kSnapshotFormat);
  snapshot.set_complete(true);

  EXPECT_THAT(CheckSnapshot(snapshot), IsOk());
}

TEST(CheckSnapshot, AcceptsTypesOfANewerSchemaAfterTheOthers) {
  Snapshot snapshot = ValidSnapshot();
  for (const int type : {9, 0, 9}) {
    Namespace* const ns = snapshot.add_namespaces();
    ns->set_type(static_cast<Namespace::Type>(type));
    ns->set_parent(7);
    ns->add_children(7);
  }
  snapshot.mutable_statistics()->set_namespaces(8);

  EXPECT_THAT(CheckSnapshot(snapshot), IsOk());
}

TEST(CheckSnapshot, AcceptsDeepProcessTreesInLinearTime) {
  Snapshot snapshot = ValidSnapshot();
  constexpr int kProcesses = 100000;
  snapshot.clear_processes();
  for (int pid = 1; pid <= kProcesses; ++pid) {
    Process* const process = snapshot.add_processes();
    process->set_pid(pid);
    // The deepest first, so that no walk ends early but by what was walked before.
    process->set_parent_pid(pid < kProcesses ? pid + 1 : 0);
  }
  snapshot.mutable_statistics()->set_processes(kProcesses);
  snapshot.mutable_statistics()->set_threads(0);

  EXPECT_THAT(CheckSnapshot(snapshot), IsOk());
}

Snapshot WithChain(int depth) {
  Snapshot snapshot;
  snapshot.set_format(kSnapshotFormat);
  snapshot.set_complete(true);
  snapshot.mutable_statistics()->set_namespaces(static_cast<uint32_t>(depth));
  for (int i = 1; i <= depth; ++i) {
    Namespace* const ns = snapshot.add_namespaces();
    ns->set_type(Namespace::pid);
    ns->set_inode(static_cast<uint32_t>(i));
    if (i > 1) ns->set_parent(static_cast<uint32_t>(i - 1));
    if (i < depth) ns->add_children(static_cast<uint32_t>(i + 1));
  }
  return snapshot;
}

TEST(CheckSnapshot, CapsTheDepthOfNamespaces) {
  EXPECT_THAT(CheckSnapshot(WithChain(64)), IsOk());
  EXPECT_THAT(CheckSnapshot(WithChain(65)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "inconsistent: the parents of pid:[65] have no end"));
}

struct FaultCase {
  const char* name;
  std::function<void(Snapshot*)> change;
  std::string message;
};

class SnapshotFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(SnapshotFault, IsNamed) {
  Snapshot snapshot = ValidSnapshot();
  GetParam().change(&snapshot);

  EXPECT_THAT(CheckSnapshot(snapshot),
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Holders, SnapshotFault,
    ::testing::Values(
        FaultCase{"fd_order",
                  [](Snapshot* s) { s->mutable_namespaces(4)->mutable_fds(0)->set_pid(21); },
                  "inconsistent: the holders of net:[4] are not in order"},
        FaultCase{"socket_order",
                  [](Snapshot* s) { s->mutable_namespaces(4)->mutable_sockets(0)->set_tid(22); },
                  "inconsistent: the holders of net:[4] are not in order"},
        FaultCase{
            "mount_order",
            [](Snapshot* s) { s->mutable_namespaces(4)->mutable_bind_mounts(1)->set_path("/"); },
            "inconsistent: the holders of net:[4] are not in order"},
        FaultCase{"fd_count", [](Snapshot* s) { s->mutable_namespaces(4)->set_fd_count(1); },
                  "inconsistent: net:[4] lists more holders than it states"},
        FaultCase{"mount_count",
                  [](Snapshot* s) { s->mutable_namespaces(4)->set_bind_mount_count(1); },
                  "inconsistent: net:[4] lists more holders than it states"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Containers, SnapshotFault,
    ::testing::Values(
        FaultCase{"engine_order", [](Snapshot* s) { s->mutable_engines(0)->set_key("z"); },
                  "inconsistent: engines, containers or pods are not in order"},
        FaultCase{"container_order", [](Snapshot* s) { s->mutable_containers(0)->set_id("c"); },
                  "inconsistent: engines, containers or pods are not in order"},
        FaultCase{"pod_order", [](Snapshot* s) { s->mutable_pods(1)->clear_native_namespace(); },
                  "inconsistent: engines, containers or pods are not in order"},
        FaultCase{"time",
                  [](Snapshot* s) {
                    s->mutable_containers(1)->set_id("b\x1b[2J");
                    s->mutable_containers(1)->mutable_started_at()->set_nanos(-1);
                  },
                  "inconsistent: a time of container b\\x1b[2J is no time"},
        FaultCase{"container_index", [](Snapshot* s) { s->mutable_processes(2)->set_container(2); },
                  "inconsistent: process 30 refers to no container"},
        FaultCase{"count", [](Snapshot* s) { s->mutable_statistics()->set_containers(3); },
                  "cut short or changed: it states 3 containers and has 2"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Header, SnapshotFault,
    ::testing::Values(
        FaultCase{"other_format", [](Snapshot* s) { s->set_format("nsctl.snapshot.v2"); },
                  "not a snapshot of the format nsctl.snapshot.v1 but \"nsctl.snapshot.v2\""},
        FaultCase{"hostile_format",
                  [](Snapshot* s) { s->set_format("\x1b[2J" + std::string(99, 'x')); },
                  "not a snapshot of the format nsctl.snapshot.v1 but "
                  "\"\\x1b[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\""},
        FaultCase{"incomplete", [](Snapshot* s) { s->clear_complete(); },
                  "cut short: the mark of its end is missing"},
        FaultCase{"seconds_past_year_9999",
                  [](Snapshot* s) { s->mutable_taken_at()->set_seconds(253402300800); },
                  "inconsistent: taken_at is no time"},
        FaultCase{"nanos_past_a_second",
                  [](Snapshot* s) { s->mutable_taken_at()->set_nanos(1000000000); },
                  "inconsistent: taken_at is no time"},
        FaultCase{"namespaces", [](Snapshot* s) { s->mutable_namespaces()->RemoveLast(); },
                  "cut short or changed: it states 5 namespaces and has 4"},
        FaultCase{"processes", [](Snapshot* s) { s->mutable_processes()->RemoveLast(); },
                  "cut short or changed: it states 3 processes and has 2"},
        FaultCase{"threads",
                  [](Snapshot* s) { s->mutable_processes(1)->mutable_threads()->RemoveLast(); },
                  "cut short or changed: it states 2 threads and has 1"},
        FaultCase{"gaps", [](Snapshot* s) { s->add_gaps(); },
                  "cut short or changed: it states 1 gaps and has 2"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Namespaces, SnapshotFault,
    ::testing::Values(
        FaultCase{"inode_order", [](Snapshot* s) { s->mutable_namespaces()->SwapElements(1, 2); },
                  "inconsistent: user:[2] is not in order"},
        FaultCase{"type_order", [](Snapshot* s) { s->mutable_namespaces()->SwapElements(0, 3); },
                  "inconsistent: user:[2] is not in order"},
        FaultCase{"twice", [](Snapshot* s) { s->mutable_namespaces(1)->set_inode(1); },
                  "inconsistent: user:[1] is not in order"},
        FaultCase{"after_an_unknown_type",
                  [](Snapshot* s) { s->mutable_namespaces(3)->clear_type(); },
                  "inconsistent: net:[4] is not in order"},
        FaultCase{"leaders", [](Snapshot* s) { s->mutable_namespaces(1)->set_leaders(1, 20); },
                  "inconsistent: a list of user:[2] is not in order"},
        FaultCase{"loose_threads",
                  [](Snapshot* s) { s->mutable_namespaces(4)->set_loose_threads(1, 3); },
                  "inconsistent: a list of net:[4] is not in order"},
        FaultCase{"owner_of_a_user_namespace",
                  [](Snapshot* s) { s->mutable_namespaces(1)->set_owner(2); },
                  "inconsistent: user:[2] has an owner, not a parent"},
        FaultCase{"parent_that_does_not_know_it",
                  [](Snapshot* s) { s->mutable_namespaces(0)->set_children(1, 4); },
                  "inconsistent: user:[1] lists a child that is none of its own"},
        FaultCase{"child_that_is_not_listed",
                  [](Snapshot* s) { s->mutable_namespaces(0)->mutable_children()->RemoveLast(); },
                  "inconsistent: user:[3] is not among its parent's children"},
        FaultCase{"child_of_another",
                  [](Snapshot* s) { s->mutable_namespaces(1)->add_children(3); },
                  "inconsistent: user:[2] lists a child that is none of its own"},
        FaultCase{"own_parent",
                  [](Snapshot* s) {
                    s->mutable_namespaces(4)->set_parent(4);
                    s->mutable_namespaces(4)->add_children(4);
                  },
                  "inconsistent: the parents of net:[4] have no end"},
        FaultCase{"circle",
                  [](Snapshot* s) {
                    s->mutable_namespaces(0)->set_parent(2);
                    s->mutable_namespaces(1)->add_children(1);
                  },
                  "inconsistent: the parents of user:[1] have no end"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Processes, SnapshotFault,
    ::testing::Values(
        FaultCase{"order", [](Snapshot* s) { s->mutable_processes()->SwapElements(0, 1); },
                  "inconsistent: process 1 is not in order"},
        FaultCase{"pid_0", [](Snapshot* s) { s->mutable_processes(0)->set_pid(0); },
                  "inconsistent: process 0 is not in order"},
        FaultCase{"negative_pid", [](Snapshot* s) { s->mutable_processes(0)->set_pid(-5); },
                  "inconsistent: process -5 is not in order"},
        FaultCase{"thread_twice",
                  [](Snapshot* s) { s->mutable_processes(1)->mutable_threads(1)->set_tid(21); },
                  "inconsistent: thread 21 is not in order"},
        FaultCase{"cgroups", [](Snapshot* s) { s->mutable_processes(0)->set_cgroups(1); },
                  "inconsistent: process 1 refers to no cgroups"},
        FaultCase{"cgroups_of_a_thread",
                  [](Snapshot* s) {
                    s->mutable_processes(1)->mutable_threads(0)->set_cgroups(4294967295);
                  },
                  "inconsistent: thread 21 refers to no cgroups"},
        FaultCase{"own_parent", [](Snapshot* s) { s->mutable_processes(0)->set_parent_pid(1); },
                  "inconsistent: the parents of process 1 form a circle"},
        FaultCase{"circle", [](Snapshot* s) { s->mutable_processes(1)->set_parent_pid(30); },
                  "inconsistent: the parents of process 20 form a circle"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace nsctl::nsdisc
