#include "base/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/fd.h"
#include "base/kernel_abi.h"

namespace nsctl::base {
namespace {

// As much as the kernel puts into one answer.
constexpr size_t kAnswerSize = size_t{32} << 10;
// However many there are, what is not listed is asked for in another way.
constexpr size_t kMostSockets = 4'000'000;
// Those in TIME_WAIT have no inode.
constexpr uint32_t kStatesWithInode = ~(uint32_t{1} << TCP_TIME_WAIT);

template <typename Body>
struct Request {
  struct nlmsghdr header;
  Body body;
};

// Adds what one answer holds; false at its last message, and where it is none.
template <typename Message>
bool TakeAnswer(const char* buffer, size_t size, uint32_t Message::*inode,
                std::vector<uint64_t>* out) {
  const auto* header = reinterpret_cast<const struct nlmsghdr*>(buffer);
  if (!NLMSG_OK(header, size)) return false;
  for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(Message))) return false;
    Message message;
    memcpy(&message, NLMSG_DATA(header), sizeof(message));
    if (message.*inode != 0 && out->size() < kMostSockets) out->push_back(message.*inode);
  }
  return true;
}

template <typename Message, typename Body>
void Dump(FdRef netlink, const Body& body, uint32_t Message::*inode, std::vector<uint64_t>* out) {
  Request<Body> request = {};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body = body;
  if (send(netlink.get(), &request, sizeof(request), 0) < 0) return;
  alignas(NLMSG_ALIGNTO) char buffer[kAnswerSize];
  while (true) {
    // The kernel has the next answer ready by the time that one is taken.
    const ssize_t size = recv(netlink.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size <= 0 || !TakeAnswer(buffer, static_cast<size_t>(size), inode, out)) return;
  }
}

OwnedFd OpenSockDiag() {
  return OwnedFd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

}  // namespace

OwnSockets ListOwnSockets() {
  OwnSockets sockets;
  std::vector<uint64_t>& inodes = sockets.inodes;
  // One for each question: what is left of an answer that was given up is not the next one's.
  if (const OwnedFd netlink = OpenSockDiag(); netlink.ok()) {
    socklen_t size = sizeof(sockets.cookie);
    if (getsockopt(netlink.get(), SOL_SOCKET, abi::kSoNetnsCookie, &sockets.cookie, &size) != 0) {
      return {};
    }
    struct unix_diag_req request = {};
    request.sdiag_family = AF_UNIX;
    request.udiag_states = ~uint32_t{0};
    Dump(netlink, request, &unix_diag_msg::udiag_ino, &inodes);
  }
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    for (const uint8_t protocol : {IPPROTO_TCP, IPPROTO_UDP}) {
      const OwnedFd netlink = OpenSockDiag();
      if (!netlink.ok()) continue;
      struct inet_diag_req_v2 request = {};
      request.sdiag_family = family;
      request.sdiag_protocol = protocol;
      request.idiag_states = kStatesWithInode;
      Dump(netlink, request, &inet_diag_msg::idiag_inode, &inodes);
    }
  }
  std::sort(inodes.begin(), inodes.end());
  return sockets;
}

}  // namespace nsctl::base
