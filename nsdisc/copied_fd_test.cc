#include "nsdisc/copied_fd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "base/pipe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/silent_fuse.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::nsdisc {
namespace {

using base::OwnedFd;
using testing::IsOk;

TEST(CopiedFd, IsTheSocketThatWasSeen) {
  const OwnedFd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const OwnedFd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const absl::StatusOr<OwnedFd> self = base::OpenPidfd({getpid()});
  ASSERT_THAT(self, IsOk());
  struct stat status = {};
  ASSERT_EQ(fstat(socket_fd.get(), &status), 0);

  EXPECT_THAT(CopySocket(*self, socket_fd.get(), status.st_ino), IsOk());
  EXPECT_THAT(CopySocket(*self, socket_fd.get(), 0), IsOk());
  EXPECT_EQ(base::ErrnoOf(CopySocket(*self, socket_fd.get(), status.st_ino + 1).status()), ESTALE);
  EXPECT_EQ(base::ErrnoOf(CopySocket(*self, other.get(), 0).status()), ESTALE);
  EXPECT_EQ(base::ErrnoOf(CopyTun(*self, socket_fd.get()).status()), ESTALE);
  EXPECT_EQ(base::ErrnoOf(CopySocket(*self, 1 << 20, 0).status()), EBADF);
}

// The namespace's end would wait for it.
TEST(CopiedFd, KeepsNoNamespaceWhereASocketWas) {
  const OwnedFd now(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(now.ok());
  const absl::StatusOr<OwnedFd> self = base::OpenPidfd({getpid()});
  ASSERT_THAT(self, IsOk());
  const std::string copy = absl::StrCat("/proc/self/fd/", self->get() + 1);
  ASSERT_EQ(access(copy.c_str(), F_OK), -1);

  EXPECT_EQ(base::ErrnoOf(CopySocket(*self, now.get(), 1234).status()), ESTALE);

  EXPECT_EQ(access(copy.c_str(), F_OK), -1);
}

TEST(CopiedFd, LeavesSoManyOpenAndNoMore) {
  NSCTL_RUN_IN_CHILD_OR_SKIP(0, [&]() -> std::string {
    const OwnedFd file(memfd_create("looks like a server's", MFD_CLOEXEC));
    const absl::StatusOr<OwnedFd> self = base::OpenPidfd({getpid()});
    NSCTL_CHILD_EXPECT(file.ok() && self.ok());
    for (int i = 0; i < kMaxLeftOpen; ++i) {
      NSCTL_CHILD_EXPECT(base::ErrnoOf(CopySocket(*self, file.get(), 0).status()) == ESTALE);
    }
    const OwnedFd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    NSCTL_CHILD_EXPECT(base::ErrnoOf(CopySocket(*self, socket_fd.get(), 0).status()) == EMFILE);
    return "";
  });
}

// As what is on a file system with a server is; the test's resource check knows of it.
TEST(CopiedFd, LeavesAFileWithoutABlockDeviceToTheKeeper) {
  const OwnedFd file(memfd_create("file", MFD_CLOEXEC));
  const absl::StatusOr<OwnedFd> self = base::OpenPidfd({getpid()});
  ASSERT_THAT(self, IsOk());
  const std::string copy = absl::StrCat("/proc/self/fd/", self->get() + 1);
  ASSERT_EQ(access(copy.c_str(), F_OK), -1);

  const absl::Status status = CopySocket(*self, file.get(), 0).status();

  EXPECT_EQ(base::ErrnoOf(status), ESTALE);
  struct stat kept = {};
  struct stat original = {};
  ASSERT_EQ(stat(copy.c_str(), &kept), 0);
  ASSERT_EQ(fstat(file.get(), &original), 0);
  EXPECT_EQ(kept.st_ino, original.st_ino);
}

// What the scanning process would do of which the kernel lets it never come back: a number that was
// a socket's is that of a file of a FUSE server which says nothing.
TEST(CopiedFd, AFileOfASilentServerHoldsUpNeitherTheCallNorTheEnd) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<testing::SilentFuse>> fuse =
        testing::SilentFuse::Mount(directory.path());
    // A kernel may have it as a module that is not there.
    if (base::IsGone(fuse.status())) return "lacking: FUSE in the kernel";
    if (!fuse.ok()) return std::string(fuse.status().message());
    absl::StatusOr<base::Pipe> pipe = base::MakePipe();
    if (!pipe.ok()) return std::string(pipe.status().message());
    // Another process has it open, and never closes it by itself.
    const pid_t holder = fork();
    if (holder == 0) {
      const int fd = open(absl::StrCat(directory.path(), "/file").c_str(), O_RDONLY | O_CLOEXEC);
      dup2(fd, 77);
      (void)!write(pipe->write_end.get(), "x", 1);
      pause();
    }
    char byte;
    NSCTL_CHILD_EXPECT(read(pipe->read_end.get(), &byte, 1) == 1);
    (*fuse)->GoSilent();
    const pid_t scanner = fork();
    if (scanner == 0) {
      const absl::StatusOr<OwnedFd> pidfd = base::OpenPidfd({holder});
      const int error = base::ErrnoOf(CopySocket(*pidfd, 77, 1234).status());
      (void)!write(pipe->write_end.get(), error == ESTALE ? "y" : "n", 1);
      _exit(0);
    }
    NSCTL_CHILD_EXPECT(pipe->write_end.Close().ok());
    NSCTL_CHILD_EXPECT(read(pipe->read_end.get(), &byte, 1) == 1);
    NSCTL_CHILD_EXPECT(byte == 'y');
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    pid_t ended = 0;
    while (ended == 0 && absl::Now() < deadline) {
      ended = waitpid(scanner, nullptr, WNOHANG);
      absl::SleepFor(absl::Milliseconds(1));
    }
    // Lets everybody go in either case.
    fuse->reset();
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    NSCTL_CHILD_EXPECT(ended == scanner);
    // All of its descriptors are closed by then, by whoever kept them.
    NSCTL_CHILD_EXPECT(read(pipe->read_end.get(), &byte, 1) == 0);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::nsdisc
