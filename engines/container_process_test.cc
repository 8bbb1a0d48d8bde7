#include "engines/container_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "engines/pid_translator.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

using base::Pid;
using base::TestChild;
using testing::HasErrno;
using testing::IsOk;

TEST(TimeOfStart, IsWhenTheProcessWasMade) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  const absl::Time before = absl::Now();
  absl::StatusOr<TestChild> child = TestChild::Start(0);
  const absl::Time after = absl::Now();
  NSCTL_SKIP_IF_LACKING(child.status(), "fork");
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto process, HoldProcess(procfs, child->pid()));

  const absl::Time made = TimeOfStart(process->start_time());

  EXPECT_LE(made, after);
  EXPECT_GE(made, before - absl::Seconds(1));
}

TEST(FindProcessesOf, FindsProcessesBesideTheEngine) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> engine = TestChild::Start(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild process, TestChild::Start(CLONE_NEWPID));
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, engine->pid()));

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto found, finder->Find(process.pid().value));

  EXPECT_EQ(found->pid(), process.pid().value);
  EXPECT_GT(found->start_time(), 0);
  ASSERT_TRUE(found->started_at().has_value());
  EXPECT_LE(absl::AbsDuration(absl::Now() - *found->started_at()), absl::Seconds(30));
  EXPECT_FALSE(found->Ended());
  process.Stop();
  EXPECT_TRUE(found->Ended());
  EXPECT_THAT(finder->Find(found->pid()), HasErrno(ESRCH));
}

TEST(FindProcessesOf, CountsAsTheEngineDoes) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  // The engine is process 1 of its own namespace.
  absl::StatusOr<TestChild> engine = TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, engine->pid()));

  // Itself; and whatever numbers are dealt outside mean nothing to it.
  EXPECT_THAT(finder->Find(1), HasErrno(EPERM));
  EXPECT_THAT(finder->Find(getpid()), HasErrno(ESRCH));
  EXPECT_THAT(finder->Find(engine->pid().value), HasErrno(ESRCH));
}

TEST(FindProcessesOf, BelievesNothingAboveTheEngine) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> engine = TestChild::Start(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, engine->pid()));

  EXPECT_THAT(finder->Find(engine->pid().value), HasErrno(EPERM));
  // Its parent.
  EXPECT_THAT(finder->Find(getpid()), HasErrno(EPERM));
  EXPECT_THAT(finder->Find(1), HasErrno(EPERM));
}

// All ways in which numbers of another PID namespace are translated.
class TranslationTest : public ::testing::TestWithParam<PidTranslation> {};
INSTANTIATE_TEST_SUITE_P(, TranslationTest,
                         ::testing::Values(PidTranslation::kAuto, PidTranslation::kStatusFiles));

TEST_P(TranslationTest, FindsProcessesOfNestedNamespaces) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  // 1: the outer init; 2 in its namespace: the engine; 3, which is 1 below: the container.
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.namespaces = CLONE_NEWPID}, {}, {.namespaces = CLONE_NEWPID}});
  const auto& processes = fixture->processes();
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder,
                             FindProcessesOf(procfs, processes[1].pid, GetParam()));

  NSCTL_ASSERT_OK_AND_ASSIGN(const auto found, finder->Find(3));

  EXPECT_EQ(found->pid(), processes[2].pid.value);
  // Asked again, from memory.
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto again, finder->Find(3));
  EXPECT_EQ(again->pid(), processes[2].pid.value);
  EXPECT_THAT(finder->Find(1), HasErrno(EPERM));
  EXPECT_THAT(finder->Find(2), HasErrno(EPERM));
  EXPECT_THAT(finder->Find(4), HasErrno(ESRCH));
  EXPECT_THAT(finder->Find(processes[2].pid.value), HasErrno(ESRCH));
}

TEST(FindProcessesOf, BelievesAnEngineInAUserNamespaceOnlyWhatIsBelow) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> outside = TestChild::Start(CLONE_NEWNET);
  NSCTL_SKIP_IF_LACKING(outside.status(), "CAP_SYS_ADMIN");
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture,
                                 {{.namespaces = CLONE_NEWUSER}, {.namespaces = CLONE_NEWUSER}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder,
                             FindProcessesOf(procfs, fixture->processes()[0].pid));

  EXPECT_THAT(finder->Find(fixture->last().pid.value), IsOk());
  // Of the same PID namespace, and as well a container of somebody's.
  EXPECT_THAT(finder->Find(outside->pid().value), HasErrno(EPERM));
}

TEST(FindProcessesOf, BelievesAnEngineWithoutPrivilegesItsChildrenAlone) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> other = TestChild::Start(0);
  NSCTL_SKIP_IF_LACKING(other.status(), "CAP_SYS_ADMIN");
  constexpr uid_t kUser = 12345;
  const auto become_user = [] { return setresuid(kUser, kUser, kUser) == 0 ? 0 : errno; };
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.setup = become_user}, {}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder,
                             FindProcessesOf(procfs, fixture->processes()[0].pid));

  EXPECT_THAT(finder->Find(fixture->last().pid.value), IsOk());
  EXPECT_THAT(finder->Find(other->pid().value), HasErrno(EPERM));
}

TEST(FindProcessesOf, RefusesWhatIsNoPid) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, Pid{getpid()}));

  for (const int64_t pid :
       {int64_t{0}, int64_t{-1}, int64_t{1} << 31, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_THAT(finder->Find(pid), HasErrno(EINVAL)) << pid;
  }
  EXPECT_THAT(finder->Find(std::numeric_limits<int32_t>::max()), HasErrno(ESRCH));
}

TEST(FindProcessesOf, SaysThatTheEngineIsGone) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> engine = TestChild::Start(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  const Pid pid = engine->pid();
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, pid));
  engine->Stop();

  EXPECT_THAT(FindProcessesOf(procfs, pid), HasErrno(ENOENT));
  // What it said last cannot be checked.
  EXPECT_FALSE(finder->Find(getpid()).ok());
}

TEST(FindProcessesOf, FindsZombiesEnded) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  absl::StatusOr<TestChild> engine = TestChild::Start(0);
  NSCTL_SKIP_IF_LACKING(engine.status(), "CAP_SYS_ADMIN");
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto finder, FindProcessesOf(procfs, engine->pid()));
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild process, TestChild::Start(0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const auto found, finder->Find(process.pid().value));
  ASSERT_EQ(kill(process.pid().value, SIGKILL), 0);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!found->Ended() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(1));

  // Nobody waited for it yet.
  EXPECT_TRUE(found->Ended());
  EXPECT_THAT(finder->Find(process.pid().value), HasErrno(ESRCH));
}

}  // namespace
}  // namespace nsctl::engines
