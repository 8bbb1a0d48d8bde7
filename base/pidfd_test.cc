#include "base/pidfd.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/nsfs.h"
#include "base/test_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::IsOkAndHolds;
using ::nsctl::testing::StatusIs;
using ::testing::AnyOf;

TEST(OpenPidfd, FailsWhereThereIsNoSuchProcess) {
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild child, TestChild::Start(0));
  const Pid pid = child.pid();
  child.Stop();

  EXPECT_THAT(OpenPidfd(pid), HasErrno(ESRCH));
}

TEST(OpenPidfd, RefusesThreadsThatLeadNoProcess) {
  std::thread([] {
    const pid_t tid = static_cast<pid_t>(syscall(SYS_gettid));
    EXPECT_THAT(OpenPidfd(Pid{tid}), AnyOf(HasErrno(EINVAL), HasErrno(ENOENT)));
  }).join();
}

TEST(OpenThreadPidfd, HoldsOneThread) {
  absl::Status opened;
  absl::StatusOr<PidfdInfo> info;
  pid_t tid = 0;
  std::thread([&] {
    tid = static_cast<pid_t>(syscall(SYS_gettid));
    const absl::StatusOr<OwnedFd> pidfd = OpenThreadPidfd(Tid{tid});
    opened = pidfd.status();
    if (pidfd.ok()) info = PidfdInfoOf(*pidfd);
  }).join();
  NSCTL_SKIP_IF_LACKING(opened, "PIDFD_THREAD");
  ASSERT_THAT(opened, IsOk());
  NSCTL_SKIP_IF_LACKING(info.status(), "PIDFD_GET_INFO");
  ASSERT_THAT(info, IsOk());

  EXPECT_EQ(info->pid, Pid{tid});
  EXPECT_EQ(info->tgid, Pid{getpid()});
}

TEST(PidfdInodeOf, IsTheProcessesOwn) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TestChild child, TestChild::Start(0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd ours, OpenPidfd(Pid{getpid()}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd again, OpenPidfd(Pid{getpid()}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd theirs, OpenPidfd(child.pid()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::optional<uint64_t> our_inode, PidfdInodeOf(ours));
  if (!our_inode.has_value()) GTEST_SKIP() << "needs pidfs inodes";

  EXPECT_THAT(PidfdInodeOf(again), IsOkAndHolds(our_inode));
  EXPECT_THAT(PidfdInodeOf(theirs), IsOkAndHolds(::testing::Ne(our_inode)));
}

TEST(PidfdInodeOf, IsNothingForOtherFiles) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd root, OpenAt(FdRef(AT_FDCWD), "/", O_RDONLY));
  EXPECT_THAT(PidfdInodeOf(root), IsOkAndHolds(std::nullopt));
}

TEST(CopyFdFrom, CopiesWhatTheProcessHasOpen) {
  NSCTL_ASSERT_OK_AND_ASSIGN(OwnedFd null, OpenAt(FdRef(AT_FDCWD), "/dev/null", O_RDONLY));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat expected, Stat(null));
  const int number = null.get();
  NSCTL_ASSERT_OK_AND_ASSIGN(const TestChild child, TestChild::Start(0));
  // The child has it still.
  ASSERT_THAT(null.Close(), IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pidfd, OpenPidfd(child.pid()));
  const absl::StatusOr<OwnedFd> copy = CopyFdFrom(pidfd, number);
  NSCTL_SKIP_IF_LACKING(copy.status(), "pidfd_getfd");
  ASSERT_THAT(copy, IsOk());

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat status, Stat(*copy));

  EXPECT_EQ(status.st_rdev, expected.st_rdev);
  EXPECT_EQ(fcntl(copy->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(CopyFdFrom(pidfd, 1 << 20), HasErrno(EBADF));
}

TEST(PidfdInfoOf, TellsNumbersAndCredentials) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const TestChild child, TestChild::Start(0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pidfd, OpenPidfd(child.pid()));
  const absl::StatusOr<PidfdInfo> info = PidfdInfoOf(pidfd);
  NSCTL_SKIP_IF_LACKING(info.status(), "PIDFD_GET_INFO");
  ASSERT_THAT(info, IsOk());

  EXPECT_EQ(info->pid, child.pid());
  EXPECT_EQ(info->tgid, child.pid());
  EXPECT_EQ(info->ppid, Pid{getpid()});
  EXPECT_EQ(info->real_uid, getuid());
  EXPECT_EQ(info->effective_uid, geteuid());
  EXPECT_EQ(info->real_gid, getgid());
  EXPECT_EQ(info->effective_gid, getegid());
  EXPECT_EQ(info->exit_code, std::nullopt) << "it lives";
}

TEST(PidfdInfoOf, TellsHowAReapedProcessEnded) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(7);
  const absl::StatusOr<OwnedFd> pidfd = OpenPidfd(Pid{child});
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  ASSERT_THAT(pidfd, IsOk());
  const absl::StatusOr<PidfdInfo> info = PidfdInfoOf(*pidfd);
  NSCTL_SKIP_IF_LACKING(info.status(), "PIDFD_GET_INFO");
  if (ErrnoOf(info.status()) == ESRCH) GTEST_SKIP() << "needs PIDFD_INFO_EXIT";
  ASSERT_THAT(info, IsOk());

  ASSERT_TRUE(info->exit_code.has_value());
  EXPECT_TRUE(WIFEXITED(*info->exit_code));
  EXPECT_EQ(WEXITSTATUS(*info->exit_code), 7);
  EXPECT_EQ(info->pid, Pid{0});
}

TEST(OpenNamespaceOf, OpensWhatProcfsHas) {
  absl::StatusOr<TestChild> child =
      TestChild::Start(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID);
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pidfd, OpenPidfd(child->pid()));
  NSCTL_SKIP_IF_LACKING(OpenNamespaceOf(pidfd, NamespaceType::kUts).status(),
                        "PIDFD_GET_UTS_NAMESPACE");
  for (const NamespaceTypeInfo& info : kNamespaceTypes) {
    SCOPED_TRACE(info.name);
    const absl::StatusOr<OwnedFd> opened = OpenNamespaceOf(pidfd, info.type);
    if (ErrnoOf(opened.status()) == EOPNOTSUPP) continue;  // The kernel lacks this kind.
    ASSERT_THAT(opened, IsOk());
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd from_procfs, child->OpenNamespace(info.type));

    NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId expected, NamespaceIdOf(from_procfs));
    EXPECT_THAT(NamespaceIdOf(*opened), IsOkAndHolds(expected));
    EXPECT_EQ(fcntl(opened->get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(OpenNamespaceForChildrenOf, OpensThoseThatDifferFromTheProcessesOwn) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pidfd, OpenPidfd(Pid{getpid()}));
  for (const NamespaceType type : {NamespaceType::kPid, NamespaceType::kTime}) {
    SCOPED_TRACE(InfoOf(type).name);
    const absl::StatusOr<OwnedFd> opened = OpenNamespaceForChildrenOf(pidfd, type);
    NSCTL_SKIP_IF_LACKING(opened.status(), "PIDFD_GET_*_FOR_CHILDREN_NAMESPACE");
    ASSERT_THAT(opened, IsOk());

    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd own, OpenNamespaceOf(pidfd, type));
    NSCTL_ASSERT_OK_AND_ASSIGN(const NamespaceId expected, NamespaceIdOf(own));
    EXPECT_THAT(NamespaceIdOf(*opened), IsOkAndHolds(expected));
  }
  EXPECT_THAT(
      OpenNamespaceForChildrenOf(pidfd, NamespaceType::kNet),
      StatusIs(absl::StatusCode::kInvalidArgument, "children have no net namespace of their own"));
}

TEST(OpenNamespaceOf, NamesRequestAndProcessThatFailed) {
  NSCTL_ASSERT_OK_AND_ASSIGN(TestChild child, TestChild::Start(0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd pidfd, OpenPidfd(child.pid()));
  NSCTL_SKIP_IF_LACKING(OpenNamespaceOf(pidfd, NamespaceType::kNet).status(),
                        "PIDFD_GET_NET_NAMESPACE");
  child.Stop();

  EXPECT_THAT(OpenNamespaceOf(pidfd, NamespaceType::kNet),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat("ioctl PIDFD_GET_NET_NAMESPACE ", pidfd.path(),
                                    ": No such process (ESRCH)")));
}

}  // namespace
}  // namespace nsctl::base
