#include "base/test_child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;

TEST(TestChild, LivesUntilItIsStopped) {
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild child, TestChild::Start(0));
  const pid_t pid = child.pid().value;
  EXPECT_EQ(kill(pid, 0), 0);

  child.Stop();

  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(child.pid(), Pid{0});
}

TEST(TestChild, IsStoppedByItsLastOwner) {
  pid_t pid = 0;
  {
    NSCTL_ASSERT_OK_AND_ASSIGN(TestChild child, TestChild::Start(0));
    pid = child.pid().value;
    const TestChild owner = std::move(child);
    EXPECT_EQ(owner.pid().value, pid);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(TestChild, ReportsWhatItsSetupReturns) {
  EXPECT_THAT(TestChild::Start(0, [] { return EDOM; }),
              StatusIs(absl::ErrnoToStatusCode(EDOM),
                       "child's setup: Numerical argument out of domain (EDOM)"));
}

TEST(TestChild, ReportsWhatCloneReturns) {
  // A thread without its process's memory, which no kernel makes.
  EXPECT_THAT(TestChild::Start(CLONE_THREAD), HasErrno(EINVAL));
}

TEST(TestChild, StandsInItsOwnNamespaces) {
  absl::StatusOr<TestChild> child = TestChild::Start(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd net, child->OpenNamespace(NamespaceType::kNet));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd own, OpenAt(FdRef(-1), "/proc/self/ns/net", O_RDONLY));

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat theirs, Stat(net));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat ours, Stat(own));

  EXPECT_EQ(theirs.st_dev, ours.st_dev);
  EXPECT_NE(theirs.st_ino, ours.st_ino);
}

}  // namespace
}  // namespace nsctl::base
