#include "procfsroot/root.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/pidfd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/handle.h"
#include "procfsroot/procfs.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::HasErrno;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

absl::StatusOr<Root> RootOf(const TestTree& tree, RootOptions options = {}) {
  return Root::OfPath(tree.path(), std::move(options));
}

// A child that stands still and ends with this object.
class StillChild {
 public:
  StillChild() : pid_(fork()) {
    if (pid_ == 0) {
      while (true) pause();
    }
  }
  ~StillChild() { End(); }
  base::Pid pid() const { return {pid_}; }
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_;
};

TEST(Root, ReadsFilesBelowIt) {
  TestTree tree({{'f', "etc/os-release", "NAME=test\n"}, {'l', "link", "/etc/os-release"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  EXPECT_THAT(root.ReadFile("/etc/os-release", 100), IsOkAndHolds("NAME=test\n"));
  EXPECT_THAT(root.ReadFile("link", 10), IsOkAndHolds("NAME=test\n"));
  EXPECT_THAT(root.ReadFile("link", 9), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(root.ReadFile("link", 9, {.follow_last = false}), HasErrno(ELOOP));
  EXPECT_THAT(root.ReadFile("etc", 9), HasErrno(EISDIR));
  EXPECT_THAT(root.ReadFile("etc/none", 9),
              StatusIs(absl::StatusCode::kNotFound, EndsWith("at component \"none\"")));
}

TEST(Root, ReadsNoMoreThanTheLimitOfAHugeFile) {
  TestTree tree({{'f', "huge"}});
  ASSERT_EQ(truncate(tree.PathOf("huge").c_str(), off_t{10} << 30), 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  EXPECT_THAT(root.ReadFile("huge", 1 << 20), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(Root, RefusesWhatIsNoFileUnlessAsked) {
  TestTree tree({{'p', "etc/passwd"}, {'s', "sock"}, {'l', "link", "etc/passwd"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  EXPECT_THAT(
      root.ReadFile("/etc/passwd", 100),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("read ", tree.path(), "/etc/passwd: is a FIFO, which is not opened")));
  EXPECT_THAT(root.Open("link", O_RDONLY),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is a FIFO")));
  EXPECT_THAT(root.Open("sock", O_RDONLY),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is a socket")));
  EXPECT_THAT(root.Open("link", O_RDONLY, {.follow_last = false}), HasErrno(ELOOP));
  EXPECT_THAT(root.Open("/etc/passwd", O_RDONLY, {}, true), IsOk());
  EXPECT_THAT(root.Open("sock", O_RDONLY, {}, true), HasErrno(ENXIO));
}

TEST(Root, RefusesDevices) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfPath("/"));

  EXPECT_THAT(root.ReadFile("/dev/null", 100),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is a character device")));
  EXPECT_THAT(root.Open("/dev/null", O_RDONLY, {}, true), IsOk());
}

TEST(Root, OpensForUseAndMakesNothing) {
  TestTree tree({{'f', "file", "content"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd file, root.Open("file", O_RDWR | O_APPEND));

  EXPECT_THAT(base::WriteAll(file, "!"), IsOk());
  EXPECT_THAT(root.ReadFile("file", 100), IsOkAndHolds("content!"));
  EXPECT_EQ(fcntl(file.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_NE(fcntl(file.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_THAT(root.Open("new", O_RDWR | O_CREAT), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(root.Open("file", O_RDWR | O_TRUNC), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(root.Open("file", O_RDONLY | O_DIRECTORY), HasErrno(ENOTDIR));
}

TEST(Root, FindsTheParentOfWhatMayNotExist) {
  TestTree tree({{'f', "a/file"}, {'l', "la", "a"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));
  struct Row {
    std::string path, parent, name;
  };
  for (const Row& row : std::vector<Row>{{"/a/new", "a", "new"},
                                         {"new", "", "new"},
                                         {"/new", "", "new"},
                                         {"la/new//", "a", "new"},
                                         {"/../../new", "", "new"},
                                         {"a/../la/file", "a", "file"}}) {
    SCOPED_TRACE(row.path);
    NSCTL_ASSERT_OK_AND_ASSIGN(const Root::Parent parent, root.OpenParent(row.path));
    EXPECT_EQ(parent.name, row.name);
    EXPECT_EQ(IdentityOf(parent.directory), IdentityOf(tree.PathOf(row.parent)));
  }
  for (const char* const path : {"", "/", "//", "a/..", "a/.", "..", "a/../"}) {
    EXPECT_THAT(root.OpenParent(path), HasErrno(EINVAL)) << path;
  }
  EXPECT_THAT(root.OpenParent("a/file/new"), HasErrno(ENOTDIR));
  EXPECT_THAT(root.OpenParent("a/none/new"), HasErrno(ENOENT));
}

TEST(Root, ListsADirectoryByTheBytesOfItsNames) {
  const std::string odd = "\xff\n\x1b[31m";
  TestTree tree({{'f', absl::StrCat("d/", odd)},
                 {'l', "d/b", "nowhere"},
                 {'p', "d/a"},
                 {'d', "d/c"},
                 {'s', "d/s"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::vector<DirectoryEntry> entries, root.ReadDir("d", 5));

  const auto is = [](const std::string& name, mode_t type) {
    return AllOf(::testing::Field(&DirectoryEntry::name, name),
                 ::testing::Field(&DirectoryEntry::type, type));
  };
  EXPECT_THAT(entries, ElementsAre(is("a", S_IFIFO), is("b", S_IFLNK), is("c", S_IFDIR),
                                   is("s", S_IFSOCK), is(odd, S_IFREG)));
  EXPECT_THAT(root.ReadDir("d", 4), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(root.ReadDir("d/a", 4), HasErrno(ENOTDIR));
  EXPECT_THAT(root.ReadDir("d/none", 4), HasErrno(ENOENT));
}

TEST(Root, ReadsLinksAsTheyAre) {
  TestTree tree({{'l', "link", "../../\xfe\n"}, {'f', "file"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  EXPECT_THAT(root.ReadLink("link"), IsOkAndHolds("../../\xfe\n"));
  EXPECT_THAT(root.ReadLink("file"), HasErrno(EINVAL));
  EXPECT_THAT(root.ReadLink("none"), HasErrno(ENOENT));
}

TEST(Root, StatsLinksAndWhatTheyLeadTo) {
  TestTree tree({{'l', "link", "file"}, {'f', "file", "12345"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct statx file, root.Stat("link"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct statx link, root.Stat("link", {.follow_last = false}));

  EXPECT_EQ(file.stx_size, 5u);
  EXPECT_TRUE(S_ISLNK(link.stx_mode));
}

TEST(Root, ConnectsToASocketWhosePathIsLong) {
  const std::string deep = absl::StrCat(std::string(200, 'x'), "/", std::string(200, 'y'));
  TestTree tree({{'d', deep}, {'f', "file"}, {'s', "deaf"}});
  const base::OwnedFd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const base::OwnedFd directory(open(tree.PathOf(deep).c_str(), O_PATH | O_CLOEXEC));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = absl::StrCat("/proc/self/fd/", directory.get(), "/sock");
  memcpy(address.sun_path, name.data(), name.size());
  ASSERT_EQ(bind(server.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(server.get(), 0), 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree, {.timeout = absl::Milliseconds(200)}));

  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd client,
                             root.ConnectUnix(absl::StrCat("/", deep, "/sock")));

  const base::OwnedFd accepted(accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted.ok());
  EXPECT_THAT(base::WriteAll(client, "hello"), IsOk());
  char received[5];
  EXPECT_EQ(read(accepted.get(), received, sizeof(received)), 5);
  EXPECT_NE(fcntl(client.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_THAT(root.ConnectUnix("file"), HasErrno(ENOTSOCK));
  EXPECT_THAT(root.ConnectUnix("deaf"), HasErrno(ECONNREFUSED));
  EXPECT_THAT(root.ConnectUnix("none"), HasErrno(ENOENT));
  EXPECT_THAT(root.ConnectUnix(absl::StrCat(deep, "/sock"), SOCK_DGRAM), HasErrno(EPROTOTYPE));
}

TEST(Root, GivesUpAListenerThatAcceptsNobody) {
  TestTree tree({});
  const base::OwnedFd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = absl::StrCat("/proc/self/fd/", tree.root().get(), "/sock");
  memcpy(address.sun_path, name.data(), name.size());
  ASSERT_EQ(bind(server.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(server.get(), 0), 0);
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree, {.timeout = absl::Milliseconds(200)}));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd first, root.ConnectUnix("sock"));

  EXPECT_THAT(root.ConnectUnix("sock"), HasErrno(EAGAIN));
}

TEST(Root, DisplaysPathsBelowIt) {
  TestTree tree({{'f', "a/file"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd file, root.Resolve("a/../a/file"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd top, root.Resolve("/"));

  EXPECT_THAT(root.DisplayPath(file), IsOkAndHolds("/a/file"));
  EXPECT_THAT(root.DisplayPath(top), IsOkAndHolds("/"));
}

TEST(Root, DisplaysNoPathOfWhatWasMovedOutOfIt) {
  TestTree tree({{'f', "root/a/file"}, {'d', "root2"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfPath(tree.PathOf("root")));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd file, root.Resolve("a/file"));

  // A sibling whose path begins as the root's does.
  ASSERT_EQ(rename(tree.PathOf("root/a").c_str(), tree.PathOf("root2/a").c_str()), 0);
  EXPECT_THAT(root.DisplayPath(file), HasErrno(ESTALE));

  ASSERT_EQ(rename(tree.PathOf("root2/a").c_str(), tree.PathOf("root/b").c_str()), 0);
  EXPECT_THAT(root.DisplayPath(file), IsOkAndHolds("/b/file"));
}

TEST(Root, IsCalledAsItsOptionsSay) {
  TestTree tree({{'f', "file"}, {'l', "link", "file"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree, {.name = "1234:"}));

  EXPECT_THAT(root.Stat("/none/x"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("resolve 1234:/none/x: ")));
  EXPECT_THAT(root.Open("link", O_RDONLY, {.follow_last = false}),
              StatusIs(absl::StatusCode::kUnknown,
                       "open 1234:/link: is a symbolic link, which is not followed (ELOOP)"));
}

TEST(Root, KeepsTheKernelsWordOfWhatWasRemoved) {
  TestTree tree({{'f', "file"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree));
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd file, root.Resolve("file"));
  ASSERT_EQ(unlink(tree.PathOf("file").c_str()), 0);

  EXPECT_THAT(root.DisplayPath(file), IsOkAndHolds("/file (deleted)"));
  tree.Make({'f', "file", "another"});
  EXPECT_THAT(root.DisplayPath(file), IsOkAndHolds("/file (deleted)"));
}

TEST(Root, IsMadeOfDirectoriesAlone) {
  TestTree tree({{'f', "file"}, {'d', "d"}});

  EXPECT_THAT(Root::OfPath(tree.PathOf("file")), HasErrno(ENOTDIR));
  EXPECT_THAT(Root::OfPath(tree.PathOf("none")), HasErrno(ENOENT));
  EXPECT_THAT(Root::OfFd(base::OwnedFd(
                  open(tree.PathOf("d").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "d")),
              IsOk());
}

TEST(Root, RunsInTheCallersThreadIfAsked) {
  TestTree tree({{'f', "file", "content"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, RootOf(tree, {.run_inline = true}));
  const testing::Resources before = testing::CurrentResources();

  EXPECT_THAT(root.ReadFile("file", 100), IsOkAndHolds("content"));

  EXPECT_EQ(testing::CurrentResources().threads, before.threads);
}

TEST(Root, OutlivesWhatItWasMovedFrom) {
  TestTree tree({{'f', "file", "content"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(Root root, RootOf(tree));
  const Root moved = std::move(root);

  EXPECT_THAT(moved.ReadFile("file", 100), IsOkAndHolds("content"));
}

TEST(RootOfProcess, IsWhatTheProcessCallsSlash) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  StillChild child;

  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfProcess(procfs, child.pid()));

  EXPECT_EQ(IdentityOf(root.fd()), IdentityOf("/"));
}

TEST(RootOfProcess, GuardsAgainstAPidThatWasDealtAgain) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  StillChild child;
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd pidfd, base::OpenPidfd(child.pid()));
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::optional<uint64_t> inode, base::PidfdInodeOf(pidfd));
  if (!inode.has_value()) GTEST_SKIP() << "needs pidfs (Linux 6.9)";

  EXPECT_THAT(Root::OfProcess(procfs, child.pid(), *inode), IsOk());
  EXPECT_THAT(Root::OfProcess(procfs, child.pid(), *inode + 1),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr(absl::StrCat("process ", child.pid().value, ":")),
                             HasSubstr("(ESRCH)"))));
}

TEST(RootOfProcess, SaysThatTheProcessIsGone) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::Live());
  StillChild child;
  const base::Pid pid = child.pid();
  child.End();

  const absl::StatusOr<Root> root = Root::OfProcess(procfs, pid);

  EXPECT_TRUE(base::IsGone(root.status())) << root.status();
}

TEST(Root, TellsNothingOfTheReaderUnlessItIsHisOwn) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root root, Root::OfPath("/"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root procfs, Root::OfPath("/proc"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const Root own, Root::OfPath("/", {.may_be_reader = true}));

  EXPECT_THAT(root.ReadFile("/proc/self/comm", 100), HasErrno(ELOOP));
  EXPECT_THAT(root.Open("/proc/thread-self/comm", O_RDONLY), HasErrno(ELOOP));
  EXPECT_THAT(root.Stat("/proc/self"), HasErrno(ELOOP));
  EXPECT_THAT(root.ReadLink("/proc/self"), IsOkAndHolds(absl::StrCat(getpid())));
  EXPECT_THAT(procfs.Resolve("self/comm"), HasErrno(ELOOP));
  EXPECT_THAT(procfs.ReadFile(absl::StrCat(getpid(), "/comm"), 100), HasErrno(ELOOP));
  EXPECT_THAT(own.ReadFile("/proc/self/comm", 100), IsOk());
}

TEST(RootOfProcess, FollowsNoLinkOfARecordedTree) {
  TestTree tree({{'l', "7/root", "/"}});
  NSCTL_ASSERT_OK_AND_ASSIGN(const Procfs procfs, Procfs::At(tree.path()));

  EXPECT_THAT(Root::OfProcess(procfs, base::Pid{7}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("recorded tree")));
}

}  // namespace
}  // namespace nsctl::procfsroot
