#include "engines/listening_sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/namespace_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/recorded_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::engines {
namespace {

using ::testing::ElementsAre;
using testing::HasErrno;
using ::testing::IsEmpty;
using testing::IsOk;

TEST(ParseListeningSockets, TakesThoseThatListenAtPaths) {
  // Of Linux 6.18; the addresses are always zero without privileges.
  constexpr char kTable[] =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 21411 /run/docker.sock\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 21412 /run/docker.sock\n"
      "0000000000000000: 00000002 00000000 00010000 0005 01 21413 /run/udev/control\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 21414 @/tmp/.X11-unix/X0\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01     7 /run/my engine/a.sock \n"
      "0000000000000000: 00000002 00000000 00010100 0001 01 21416 rel.sock\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 21417\n";

  EXPECT_THAT(ParseListeningSockets(kTable),
              ElementsAre(ListeningSocket{21411, "/run/docker.sock"},
                          ListeningSocket{7, "/run/my engine/a.sock "},
                          ListeningSocket{21416, "rel.sock"}));
}

TEST(ParseListeningSockets, PassesOverWhatIsMalformed) {
  for (const char* text :
       {"", "\n\n", "0: 1", "0: 1 2 xyz 0001 01 5 /a", "0: 1 2 00010000 0001 01 x /a",
        "0: 1 2 00010000 0001 01 99999999999999999999999 /a", "0: 1 2 00010000 0001 01 5 ",
        "0: 1 2 00010000 0001 01 5"}) {
    EXPECT_THAT(ParseListeningSockets(text), IsEmpty()) << text;
  }
}

TEST(ReadListeningSockets, ReadsRecordedTrees) {
  const testing::TestDirectory directory;
  ASSERT_THAT(
      testing::UnpackRecordedTree("f 7/net/unix\n"
                                  "|Num       RefCount Protocol Flags    Type St Inode Path\n"
                                  "|0: 00000002 00000000 00010000 0001 01 11 /run/b.sock\n"
                                  "|0: 00000002 00000000 00010000 0001 01 12 /run/a.sock\n"
                                  "|0: 00000002 00000000 00010000 0001 01 13 /run/other.sock\n"
                                  "l 7/fd/3 socket:[11]\n"
                                  "l 7/fd/4 socket:[12]\n"
                                  "l 7/fd/5 socket:[12]\n"
                                  "l 7/fd/6 pipe:[13]\n"
                                  "l 7/fd/x socket:[13]\n"
                                  "d 8/fd\n",
                                  directory.path() + "/proc"),
      IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs,
                             procfsroot::Procfs::At(directory.path() + "/proc"));

  NSCTL_ASSERT_OK_AND_ASSIGN(const ListeningSockets found,
                             ReadListeningSockets(procfs, base::Pid{7}));

  EXPECT_THAT(found.sockets,
              ElementsAre(ListeningSocket{12, "/run/a.sock"}, ListeningSocket{11, "/run/b.sock"}));
  EXPECT_FALSE(found.cut);
  EXPECT_THAT(ReadSocketInodes(procfs, base::Pid{7}),
              testing::IsOkAndHolds(ElementsAre(uint64_t{11}, uint64_t{12})));
  NSCTL_ASSERT_OK_AND_ASSIGN(const ListeningSockets none,
                             ReadListeningSockets(procfs, base::Pid{8}));
  EXPECT_THAT(none.sockets, IsEmpty());
  EXPECT_THAT(ReadListeningSockets(procfs, base::Pid{9}), HasErrno(ENOENT));
}

TEST(ReadListeningSockets, AsksTheKernel) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  const testing::TestDirectory directory;
  // A relative path of the greatest length: the kernel has room for no NUL behind it.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::string path = "/tmp/nsctl-" + std::to_string(getpid()) + "-";
  path.resize(sizeof(address.sun_path), 'x');
  std::copy(path.begin(), path.end(), address.sun_path);
  const base::OwnedFd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  unlink(path.c_str());
  // Bound and not listening; listening and not bound by a path.
  const base::OwnedFd other(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const ListeningSockets before,
                             ReadListeningSockets(procfs, base::Pid{getpid()}));
  ASSERT_EQ(listen(other.get(), 1), -1);
  ASSERT_EQ(listen(listening.get(), 1), 0);

  NSCTL_ASSERT_OK_AND_ASSIGN(const ListeningSockets found,
                             ReadListeningSockets(procfs, base::Pid{getpid()}));

  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat status, base::Stat(listening));
  EXPECT_THAT(before.sockets, IsEmpty());
  EXPECT_THAT(found.sockets, ElementsAre(ListeningSocket{status.st_ino, path}));
}

TEST(ReadListeningSockets, LooksAtSoManyOfAProcess) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, procfsroot::Procfs::Live());
  std::vector<base::OwnedFd> sockets;
  for (size_t i = 0; i < kMaxSockets + 1; ++i) {
    sockets.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!sockets.back().ok()) GTEST_SKIP() << "needs more descriptors (RLIMIT_NOFILE)";
  }

  NSCTL_ASSERT_OK_AND_ASSIGN(const ListeningSockets found,
                             ReadListeningSockets(procfs, base::Pid{getpid()}));

  EXPECT_TRUE(found.cut);
}

}  // namespace
}  // namespace nsctl::engines
