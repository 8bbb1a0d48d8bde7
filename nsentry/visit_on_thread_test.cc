#include "nsentry/visit_on_thread.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nsentry/entry_plan.h"
#include "nsentry/test_scene.h"
#include "procfsroot/bounded_call.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::nsentry {
namespace {

using base::NamespaceType;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

// Under TSan a test's child may not allocate: it stands still from the start.
std::shared_ptr<const EntryPlan> PlanOf(const Target& target, uint32_t types) {
  absl::StatusOr<EntryPlan> plan = target.Plan(types);
  EXPECT_THAT(plan, IsOk());
  return std::make_shared<const EntryPlan>(*std::move(plan));
}

class VisitEachType : public ::testing::TestWithParam<NamespaceType> {};

TEST_P(VisitEachType, SeesIsThereAndTheCallerIsNot) {
  const base::NamespaceTypeInfo& info = base::InfoOf(GetParam());
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(static_cast<int>(info.clone_flag));
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));
  const std::string before = OwnLink(GetParam());
  procfsroot::BoundedCaller caller;

  const absl::StatusOr<std::string> there = VisitOnThread<std::string>(
      PlanOf(target, info.clone_flag), [] { return OwnLink(GetParam()); }, absl::Seconds(5),
      &caller);

  EXPECT_THAT(there, IsOkAndHolds(LinkOf(child->pid(), GetParam())));
  EXPECT_NE(*there, before);
  EXPECT_EQ(OwnLink(GetParam()), before);
}

INSTANTIATE_TEST_SUITE_P(All, VisitEachType,
                         ::testing::Values(NamespaceType::kMnt, NamespaceType::kCgroup,
                                           NamespaceType::kUts, NamespaceType::kIpc,
                                           NamespaceType::kNet),
                         [](const auto& info) { return base::InfoOf(info.param).name; });

TEST(VisitOnThread, RefusesWhatOnlyAProcessCanDo) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));
  procfsroot::BoundedCaller caller;

  const absl::StatusOr<int> result = VisitOnThread<int>(
      PlanOf(target, CLONE_NEWPID), [] { return 1; }, absl::Seconds(5), &caller);

  EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument,
                               "a thread alone cannot be in another pid namespace"));
}

TEST(VisitOnThread, GoesOnWithoutAThreadThatHangs) {
  absl::StatusOr<base::TestChild> child = base::TestChild::Start(CLONE_NEWUTS);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const Target target, Target::Open(child->pid()));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  auto release = std::make_shared<base::OwnedFd>(ends[0], "pipe");
  base::OwnedFd writer(ends[1], "pipe");
  procfsroot::BoundedCaller caller;

  const absl::StatusOr<ssize_t> result = VisitOnThread<ssize_t>(
      PlanOf(target, CLONE_NEWUTS),
      [release]() -> absl::StatusOr<ssize_t> {
        char sign;
        return read(release->get(), &sign, 1);
      },
      absl::Milliseconds(50), &caller);

  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDeadlineExceeded));
  // Its end: the resource check waits for the thread.
  release.reset();
  ASSERT_THAT(writer.Close(), IsOk());
}

}  // namespace
}  // namespace nsctl::nsentry
