#include "engines/engine_nesting.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/process_scan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

class EngineNestingTest : public ::testing::Test {
 protected:
  uint64_t StartOf(base::Pid pid) {
    const auto process = ScanProcess(procfs_, pid);
    return process.ok() ? process->start_time : 0;
  }
  void AddEngine(const std::string& key, base::Pid pid) {
    Engine& engine = *containers_.add_engines();
    engine.set_key(key);
    engine.set_pid(pid.value);
    engine.set_start_time(StartOf(pid));
  }
  void AddContainer(const std::string& engine, const std::string& id, base::Pid pid) {
    Container& container = *containers_.add_containers();
    container.set_engine(engine);
    container.set_id(id);
    container.set_pid(pid.value);
    container.set_start_time(StartOf(pid));
  }
  // "PARENT/CONTAINER" of an engine.
  std::string ParentOf(int engine) {
    const Engine& one = containers_.engines(engine);
    return one.parent() + "/" + one.parent_container();
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
  Containers containers_;
  EngineNesting nesting_{procfs_};
};

TEST_F(EngineNestingTest, FindsTheInnermostContainer) {
  NSCTL_START_NAMESPACES_OR_SKIP(
      const auto fixture, {{}, {.namespaces = CLONE_NEWPID}, {}, {.namespaces = CLONE_NEWPID}, {}});
  const auto& processes = fixture->processes();
  AddEngine("a", processes[0].pid);
  AddEngine("b", processes[2].pid);
  AddEngine("c", processes[4].pid);
  AddContainer("a", "outer", processes[1].pid);
  AddContainer("b", "inner", processes[3].pid);

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(0), "/");
  EXPECT_EQ(ParentOf(1), "a/outer");
  EXPECT_EQ(ParentOf(2), "b/inner");
  // The same from memory.
  nesting_.SetParents(&containers_);
  EXPECT_EQ(ParentOf(2), "b/inner");
}

TEST_F(EngineNestingTest, FindsDaemonsBesideTheInitialProcess) {
  // As by exec: in the container's PID namespace and no descendant of its initial process.
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.namespaces = CLONE_NEWPID}, {.for_children = 0}, {}});
  const auto& processes = fixture->processes();
  AddEngine("outer", base::Pid{getpid()});
  AddEngine("inner", processes[2].pid);
  AddContainer("outer", "box", processes[0].pid);

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(1), "outer/box");
}

TEST_F(EngineNestingTest, MakesNoCircles) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{}, {}, {}});
  const auto& processes = fixture->processes();
  AddEngine("a", processes[1].pid);
  AddEngine("b", processes[2].pid);
  AddContainer("a", "of-a", processes[0].pid);
  AddContainer("b", "of-b", processes[0].pid);

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(0), "b/of-b");
  EXPECT_EQ(ParentOf(1), "/");
}

TEST_F(EngineNestingTest, PlacesWhatIsKnownByEvidenceWhereItWasMade) {
  // The host's, in which an engine's container has a helper with one; and a helper on the host.
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID},
                                                      {},
                                                      {.namespaces = CLONE_NEWPID},
                                                      {},
                                                      {.namespaces = CLONE_NEWPID},
                                                      {}});
  const auto& processes = fixture->processes();
  AddEngine("docker", base::Pid{getpid()});
  Engine& evidence = *containers_.add_engines();
  evidence.set_key("evidence");
  evidence.set_type(Engine::evidence);
  AddContainer("docker", "outer", processes[0].pid);
  AddContainer("evidence", "inner", processes[2].pid);
  containers_.mutable_containers(1)->set_pod("p");
  Pod& pod = *containers_.add_pods();
  pod.set_engine("evidence");
  pod.set_id("p");
  AddContainer("evidence", "innermost", processes[4].pid);

  nesting_.SetParents(&containers_);

  const auto key = [&](int process) {
    return "evidence:" + std::to_string(processes[process].pid.value) + "@" +
           std::to_string(StartOf(processes[process].pid));
  };
  std::vector<std::string> places;
  for (const Container& container : containers_.containers()) {
    places.push_back(container.engine() + "/" + container.id());
  }
  EXPECT_THAT(places, ::testing::UnorderedElementsAre("docker/outer", key(0) + "/inner",
                                                      key(2) + "/innermost"));
  std::vector<std::string> parents;
  for (const Engine& engine : containers_.engines()) {
    if (engine.parent().empty()) continue;
    parents.push_back(engine.key() + " in " + engine.parent() + "/" + engine.parent_container());
  }
  EXPECT_THAT(parents, ::testing::UnorderedElementsAre(key(0) + " in docker/outer",
                                                       key(2) + " in " + key(0) + "/inner"));
  ASSERT_EQ(containers_.pods_size(), 2);
  EXPECT_EQ(containers_.pods(1).engine(), key(0));
}

TEST_F(EngineNestingTest, KeepsWhatWasMadeOnTheHostThere) {
  // In the PID namespace of another container, as in a pod that shares one.
  NSCTL_START_NAMESPACES_OR_SKIP(const auto pause, {{.namespaces = CLONE_NEWPID}});
  const std::string link =
      procfs_.path() + "/" + std::to_string(pause->processes()[0].pid.value) + "/ns/pid";
  const auto join = [&link] {
    const int joined = open(link.c_str(), O_RDONLY | O_CLOEXEC);
    return joined >= 0 && setns(joined, CLONE_NEWPID) == 0 ? 0 : errno;
  };
  NSCTL_START_NAMESPACES_OR_SKIP(const auto main, {{.setup = join}, {}});
  Engine& evidence = *containers_.add_engines();
  evidence.set_key("evidence");
  evidence.set_type(Engine::evidence);
  AddContainer("evidence", "pause", pause->processes()[0].pid);
  AddContainer("evidence", "main", main->processes()[1].pid);

  nesting_.SetParents(&containers_);

  for (const Container& container : containers_.containers()) {
    EXPECT_EQ(container.engine(), "evidence") << container.id();
  }
  EXPECT_EQ(containers_.engines_size(), 1);
}

TEST_F(EngineNestingTest, KnowsTheCgroupsOfInitialProcesses) {
  AddEngine("docker", base::Pid{getpid()});
  AddContainer("docker", "self", base::Pid{getpid()});
  AddContainer("docker", "said", base::Pid{getpid()});
  containers_.mutable_containers(1)->set_cgroup("/said");

  nesting_.SetCgroups(&containers_);

  EXPECT_THAT(containers_.containers(0).cgroup(), ::testing::StartsWith("/"));
  EXPECT_EQ(containers_.containers(1).cgroup(), "/said");
}

int BecomeUser() { return setresuid(12321, 12321, 12321) == 0 ? 0 : errno; }
int BecomeRootForUser() { return setresuid(12321, 0, 0) == 0 ? 0 : errno; }

// Root's daemon that was started from a user's session, and one of the user's.
TEST_F(EngineNestingTest, PutsTheHostsEnginesIntoNoUsersContainer) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{}, {.setup = BecomeUser}, {.setup = BecomeUser}});
  const auto& processes = fixture->processes();
  Engine& evidence = *containers_.add_engines();
  evidence.set_key("evidence");
  evidence.set_type(Engine::evidence);
  AddEngine("hosts", processes[0].pid);
  AddEngine("users", processes[2].pid);
  AddContainer("evidence", "session", processes[0].pid);
  AddContainer("evidence", "first", base::Pid{1});
  for (Container& container : *containers_.mutable_containers()) {
    container.set_foreign(true);
    container.set_told_by_uid(12321);
  }

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(1), "/");
  EXPECT_EQ(ParentOf(2), "evidence/session");

  // By root's word they are.
  for (Container& container : *containers_.mutable_containers()) container.set_foreign(false);
  nesting_.SetParents(&containers_);
  EXPECT_NE(ParentOf(1), "/");
}

// The same by the word of the user's engine.
TEST_F(EngineNestingTest, PutsTheHostsEnginesIntoNoContainerOfAUsersEngine) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{}, {.setup = BecomeRootForUser}, {.setup = BecomeUser}});
  const auto& processes = fixture->processes();
  AddEngine("users", processes[0].pid);
  containers_.mutable_engines(0)->set_foreign(true);
  containers_.mutable_engines(0)->set_uid(12321);
  AddEngine("hosts", processes[1].pid);
  AddEngine("inner", processes[2].pid);
  AddContainer("users", "box", processes[0].pid);

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(1), "/");
}

TEST_F(EngineNestingTest, TakesNoOtherProcessOfTheSameNumber) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWPID}, {}});
  const auto& processes = fixture->processes();
  AddEngine("outer", base::Pid{getpid()});
  AddEngine("inner", processes[1].pid);
  AddContainer("outer", "box", processes[0].pid);
  containers_.mutable_containers(0)->set_start_time(1);

  nesting_.SetParents(&containers_);

  EXPECT_EQ(ParentOf(1), "/");
  EXPECT_EQ(ReadPlace(procfs_, {processes[0].pid.value, 1}), std::nullopt);
}

}  // namespace
}  // namespace nsctl::engines
