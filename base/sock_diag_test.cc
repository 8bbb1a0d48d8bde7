#include "base/sock_diag.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/kernel_abi.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::base {
namespace {

using ::testing::Contains;
using ::testing::Not;

uint64_t InodeOf(const OwnedFd& socket) {
  struct stat status = {};
  EXPECT_EQ(fstat(socket.get(), &status), 0);
  return status.st_ino;
}

OwnedFd BoundUdp(int family) {
  OwnedFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct sockaddr_storage any = {};
  any.ss_family = static_cast<sa_family_t>(family);
  const socklen_t size =
      family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&any), size), 0);
  return fd;
}

OwnedFd ListeningTcp() {
  OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(listen(fd.get(), 1), 0);
  return fd;
}

// Before Linux 5.14 no cookies are told.
bool TellsCookies() {
  const OwnedFd one(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(one.get(), SOL_SOCKET, abi::kSoNetnsCookie, &cookie, &size) == 0;
}
#define SKIP_WITHOUT_COOKIES() \
  if (!TellsCookies()) GTEST_SKIP() << "needs SO_NETNS_COOKIE (Linux 5.14)"

TEST(ListOwnSockets, HasThoseOfTheCallersNetworkNamespace) {
  SKIP_WITHOUT_COOKIES();
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const OwnedFd one(pair[0]);
  const OwnedFd other(pair[1]);
  const OwnedFd unbound(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const OwnedFd udp = BoundUdp(AF_INET);
  const OwnedFd udp6 = BoundUdp(AF_INET6);
  const OwnedFd tcp = ListeningTcp();

  const std::vector<uint64_t> inodes = ListOwnSockets().inodes;

  EXPECT_TRUE(std::is_sorted(inodes.begin(), inodes.end()));
  for (const OwnedFd* socket : {&one, &other, &unbound, &udp, &udp6, &tcp}) {
    EXPECT_THAT(inodes, Contains(InodeOf(*socket)));
  }
}

TEST(ListOwnSockets, HasTheCookieOfTheirNamespace) {
  SKIP_WITHOUT_COOKIES();
  const OwnedFd one(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  ASSERT_EQ(getsockopt(one.get(), SOL_SOCKET, abi::kSoNetnsCookie, &cookie, &size), 0);

  EXPECT_EQ(ListOwnSockets().cookie, cookie);
}

TEST(ListOwnSockets, HasAllOfMany) {
  SKIP_WITHOUT_COOKIES();
  std::vector<OwnedFd> sockets;
  for (int i = 0; i < 900; ++i) {
    sockets.emplace_back(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(sockets.back().ok());
  }

  const std::vector<uint64_t> inodes = ListOwnSockets().inodes;

  for (const OwnedFd& socket : sockets) EXPECT_THAT(inodes, Contains(InodeOf(socket)));
}

TEST(ListOwnSockets, HasNoneOfOtherNamespaces) {
  const OwnedFd outside(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<uint64_t> inside;
  bool entered = false;
  std::thread([&] {
    entered = unshare(CLONE_NEWNET) == 0;
    if (entered) inside = ListOwnSockets().inodes;
  }).join();
  if (!entered) GTEST_SKIP() << "needs CAP_SYS_ADMIN";

  EXPECT_THAT(inside, Not(Contains(InodeOf(outside))));
}

}  // namespace
}  // namespace nsctl::base
