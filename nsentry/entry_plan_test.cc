#include "nsentry/entry_plan.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/entry_message.h"
#include "nsentry/namespace_reference.h"
#include "nsentry/test_scene.h"
#include "procfsroot/run_in_child.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

constexpr int kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                     CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;

std::vector<std::string> TypesOf(absl::Span<const EntryStep> steps) {
  std::vector<std::string> names;
  for (const EntryStep& step : steps) names.push_back(base::InfoOf(step.type).name);
  return names;
}

TEST(EntryPlan, TakesAllThatDifferAndLeavesOutTheRest) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWNET | CLONE_NEWNS}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));

  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());

  EXPECT_THAT(plan.Check(), IsOk());
  EXPECT_THAT(TypesOf(plan.steps()), ElementsAre("net", "mnt"));
  EXPECT_THAT(TypesOf(plan.skipped()), ElementsAre("user", "cgroup", "ipc", "uts", "pid", "time"));
  EXPECT_EQ(plan.at_once(), uint32_t{CLONE_NEWNET | CLONE_NEWNS});
}

TEST(EntryPlan, PutsTheUserNamespaceFirst) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = kAll}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));

  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());

  EXPECT_THAT(plan.Check(), IsOk());
  EXPECT_THAT(TypesOf(plan.steps()),
              ElementsAre("user", "cgroup", "ipc", "uts", "net", "pid", "mnt", "time"));
  EXPECT_EQ(plan.at_once(), uint32_t{kAll});
}

TEST(EntryPlan, PutsWhatTheUserNamespaceDoesNotOwnBeforeIt) {
  NSCTL_START_NAMESPACES_OR_SKIP(
      const auto fixture,
      {{.namespaces = CLONE_NEWNET}, {.namespaces = CLONE_NEWUSER | CLONE_NEWUTS}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));

  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan, target.Plan());

  EXPECT_THAT(plan.Check(), IsOk());
  EXPECT_THAT(TypesOf(plan.steps()), ElementsAre("net", "user", "uts"));
}

TEST(EntryPlan, RefusesTheCallersOwnUserNamespaceWhereItIsAskedFor) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open({getpid()}));

  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan asked, target.Plan(CLONE_NEWUSER));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan all, target.Plan());

  EXPECT_THAT(asked.Check(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("cannot enter ", OwnLink(NamespaceType::kUser), " of process ",
                                    getpid(), ": the caller is in this user namespace already")));
  EXPECT_THAT(all.Check(), IsOk());
  EXPECT_TRUE(all.steps().empty());
}

TEST(EntryPlan, TakesAGivenReferenceInsteadOfTheProcesses) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWNET | CLONE_NEWUTS}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  EntryRequest request;
  request.process = &target.process;
  request.all_types = true;
  NSCTL_ASSERT_OK_AND_ASSIGN(NamespaceReference own, OpenNamespaceAt("/proc/self/ns/net"));
  request.references.push_back(std::move(own));

  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan,
                             EntryPlan::Make(target.procfs, std::move(request)));

  EXPECT_THAT(TypesOf(plan.steps()), ElementsAre("uts"));
  EXPECT_EQ(plan.skipped().back().origin, "/proc/self/ns/net");
}

TEST(EntryPlan, KnowsThatAPidNamespaceAboveCannotBeEntered) {
  const std::string failure = procfsroot::RunInChild(0, [&]() -> std::string {
    const absl::StatusOr<procfsroot::Procfs> procfs = procfsroot::Procfs::Live();
    NSCTL_CHILD_EXPECT(procfs.ok());
    // The child of this child is in a new PID namespace, and looks at one above its own.
    absl::StatusOr<NamespaceReference> above = OpenNamespaceAt("/proc/self/ns/pid");
    NSCTL_CHILD_EXPECT(above.ok());
    if (unshare(CLONE_NEWPID) != 0) return "needs CAP_SYS_ADMIN";
    return procfsroot::RunInChild(0, [&]() -> std::string {
      EntryRequest request;
      request.references.push_back(std::move(*above));
      const absl::StatusOr<EntryPlan> plan = EntryPlan::Make(*procfs, std::move(request));
      if (!plan.ok()) return plan.status().ToString();
      return std::string(plan->Check().message());
    });
  });
  if (failure == "needs CAP_SYS_ADMIN") GTEST_SKIP() << failure;
  EXPECT_THAT(failure, HasSubstr(": it is not below the caller's pid:["));
}

// The capability that is missing and where, for somebody without any.
std::string RefusalAsNobody(base::Pid pid, uint32_t types) {
  return procfsroot::RunInChild(0, [&]() -> std::string {
    NSCTL_CHILD_EXPECT(BecomeNobody());
    absl::StatusOr<Target> target = Target::Open(pid);
    if (!target.ok()) return target.status().ToString();
    const absl::StatusOr<EntryPlan> plan = target->Plan(types);
    if (!plan.ok()) return plan.status().ToString();
    return std::string(plan->Check().message());
  });
}

TEST(EntryPlan, NamesTheMissingCapabilityAndItsUserNamespace) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  base::Pid pid;
  // Nobody's own process, whose namespaces he may look at, in namespaces that are not his.
  absl::StatusOr<base::TestChild> child =
      base::TestChild::Start(CLONE_NEWNET, [] { return BecomeNobody() ? 0 : EPERM; });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  pid = child->pid();

  EXPECT_EQ(RefusalAsNobody(pid, CLONE_NEWNET),
            absl::StrCat("cannot enter ", LinkOf(pid, NamespaceType::kNet), " of process ",
                         pid.value, ": needs CAP_SYS_ADMIN in ", OwnLink(NamespaceType::kUser)));
}

TEST(EntryPlan, SaysThatAProcessesNamespacesCannotBeLookedAt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(0);
  ASSERT_THAT(child, IsOk());

  EXPECT_THAT(RefusalAsNobody(child->pid(), CLONE_NEWNET), HasSubstr("(EACCES)"));
}

TEST(EntryPlan, FailsForAProcessThatIsGone) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(0);
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));
  child->Stop();

  EXPECT_TRUE(base::IsGone(target.Plan().status()));
}

TEST(EntryPlanText, TellsEachStep) {
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.namespaces = CLONE_NEWUTS}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(fixture->last().pid));
  NSCTL_ASSERT_OK_AND_ASSIGN(const EntryPlan plan,
                             target.Plan(CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWUSER));

  const EntryPlanMessage message = ToMessage(plan);

  const std::string pid = absl::StrCat(" of process ", fixture->last().pid.value);
  const std::string own_user = OwnLink(NamespaceType::kUser);
  EXPECT_EQ(PlanText(message),
            absl::StrCat("enter ", LinkOf(fixture->last().pid, NamespaceType::kUts), pid,
                         ", owned by ", own_user, "\n", "fail  ", own_user, pid,
                         ": the caller is in this user namespace already\n", "skip  ",
                         OwnLink(NamespaceType::kNet), ": the caller is in it already\n"));
  EXPECT_FALSE(message.feasible());
  EXPECT_FALSE(message.forks());
}

}  // namespace
}  // namespace nsctl::nsentry
