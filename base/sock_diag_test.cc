#include "base/sock_diag.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

// ENOENT where the kernel has no unix_diag, and nobody who loads it. 0, or another errno.
int AskForUnixSockets() {
  struct {
    struct nlmsghdr header;
    struct unix_diag_req request;
  } message = {};
  message.header.nlmsg_len = sizeof(message);
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = AF_UNIX;
  const OwnedFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (send(fd.get(), &message, sizeof(message), 0) < 0) return errno;
  alignas(struct nlmsghdr) char answer[32768];
  const ssize_t size = recv(fd.get(), answer, sizeof(answer), 0);
  if (size < 0) return errno;
  const auto* const header = reinterpret_cast<const struct nlmsghdr*>(answer);
  if (header->nlmsg_type != NLMSG_ERROR) return 0;
  return -reinterpret_cast<const struct nlmsgerr*>(NLMSG_DATA(header))->error;
}

#define SKIP_WITHOUT_LISTS()                                                 \
  if (!TellsCookies()) GTEST_SKIP() << "needs SO_NETNS_COOKIE (Linux 5.14)"; \
  if (AskForUnixSockets() == ENOENT) GTEST_SKIP() << "needs the module unix_diag"

TEST(ListOwnSockets, HasThoseOfTheCallersNetworkNamespace) {
  SKIP_WITHOUT_LISTS();
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
  if (!TellsCookies()) GTEST_SKIP() << "needs SO_NETNS_COOKIE (Linux 5.14)";
  const OwnedFd one(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  ASSERT_EQ(getsockopt(one.get(), SOL_SOCKET, abi::kSoNetnsCookie, &cookie, &size), 0);

  EXPECT_EQ(ListOwnSockets().cookie, cookie);
}

TEST(ListOwnSockets, HasAllOfMany) {
  SKIP_WITHOUT_LISTS();
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
