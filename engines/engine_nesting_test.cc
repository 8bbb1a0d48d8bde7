#include "engines/engine_nesting.h"

#include <sched.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/namespace_type.h"
#include "engines/container.h"
#include "engines/process_scan.h"
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
