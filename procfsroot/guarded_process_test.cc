#include "procfsroot/guarded_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(GuardedProcess, IsAliveUntilTheProcessWasWaitedFor) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  NSCTL_ASSERT_OK_AND_ASSIGN(const GuardedProcess process,
                             GuardedProcess::Open(procfs, {child}, std::nullopt));
  const absl::Status before = process.CheckAlive();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  const absl::Status after = process.CheckAlive();

  EXPECT_THAT(before, IsOk());
  EXPECT_TRUE(base::IsGone(after)) << after;
}

TEST(GuardedProcess, HoldsAPidfdWhereItIsAskedTo) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  const base::Pid self{getpid()};
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd pidfd, base::OpenPidfd(self));

  NSCTL_ASSERT_OK_AND_ASSIGN(
      const GuardedProcess with,
      GuardedProcess::Open(procfs, self, std::nullopt, GuardedProcess::Hold::kPidfd));
  NSCTL_ASSERT_OK_AND_ASSIGN(const GuardedProcess without,
                             GuardedProcess::Open(procfs, self, std::nullopt));

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat held, base::Stat(with.pidfd()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat own, base::Stat(pidfd));
  EXPECT_EQ(held.st_ino, own.st_ino);
  EXPECT_EQ(with.pid(), self);
  EXPECT_FALSE(without.pidfd().ok());
}

TEST(GuardedProcess, MayBeAThread) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  pid_t tid = 0;
  absl::StatusOr<GuardedProcess> thread = absl::UnknownError("not run");
  std::thread([&] {
    tid = gettid();
    thread = GuardedProcess::Open(procfs, {tid}, std::nullopt, GuardedProcess::Hold::kPidfd);
  }).join();
  if (base::IsUnsupported(thread.status())) GTEST_SKIP() << "needs PIDFD_THREAD (Linux 6.9)";

  ASSERT_THAT(thread, IsOk());
  EXPECT_NE(tid, getpid());
  EXPECT_EQ(thread->pid(), base::Pid{tid});
  EXPECT_TRUE(thread->pidfd().ok());
}

TEST(GuardedProcess, IsTheOneWithThePidfdInode) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  const base::Pid self{getpid()};
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd pidfd, base::OpenPidfd(self));
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::optional<uint64_t> inode, base::PidfdInodeOf(pidfd));
  if (!inode.has_value()) GTEST_SKIP() << "needs pidfs (Linux 6.9)";

  EXPECT_THAT(GuardedProcess::Open(procfs, self, *inode), IsOk());
  EXPECT_THAT(GuardedProcess::Open(procfs, self, *inode + 1), HasErrno(ESRCH));
}

TEST(GuardedProcess, IsNotOfARecordedTree) {
  TestTree tree({{'f', "7/stat", "7 (x) S 1"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::At(tree.path()));

  EXPECT_THAT(GuardedProcess::Open(procfs, {7}, std::nullopt),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("recorded tree")));
}

}  // namespace
}  // namespace nsctl::procfsroot
