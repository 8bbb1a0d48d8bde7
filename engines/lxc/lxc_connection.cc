#include "engines/lxc/lxc_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/status_macros.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_messages.h"
#include "engines/stop_signal.h"

namespace nsctl::engines::lxc {
namespace {

constexpr char kWhat[] = "the monitor's socket";

// A socket belongs to the network namespace that its maker was in.
absl::StatusOr<base::OwnedFd> MakeSocket(const base::OwnedFd& network) {
  int error = 0;
  base::OwnedFd result;
  const auto make = [&result, &error] {
    result = base::OwnedFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), kWhat);
    if (!result.ok()) error = errno;
  };
  if (!network.ok()) {
    make();
    if (error != 0) return base::ErrnoStatus(error, "socket");
    return result;
  }
  bool entered = false;
  std::thread([&] {
    entered = setns(network.get(), CLONE_NEWNET) == 0;
    if (entered) return make();
    error = errno;
  }).join();
  if (error != 0) return base::ErrnoStatus(error, entered ? "socket" : "setns", network.path());
  return result;
}

// Reads exactly `size` bytes.
absl::StatusOr<std::string> ReadBytes(base::FdRef socket, size_t size, const CallLimits& limits) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    NSCTL_RETURN_IF_ERROR(AwaitReady(socket, POLLIN, limits.deadline, limits.stop));
    const ssize_t got = recv(socket.get(), bytes.data() + have, size - have, MSG_DONTWAIT);
    const int error = errno;
    if (got == 0) return absl::UnavailableError("the monitor hung up");
    if (got < 0 && error != EAGAIN && error != EINTR) {
      return base::ErrnoStatus(error, "recv", socket.path());
    }
    have += static_cast<size_t>(std::max<ssize_t>(got, 0));
  }
  return bytes;
}

// Requests are shorter than any socket's buffer.
absl::Status SendAs(base::FdRef socket, uid_t uid, std::string bytes) {
  const struct ucred who = {.pid = getpid(), .uid = uid, .gid = getegid()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(who))] = {};
  struct iovec data = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_CREDENTIALS;
  head->cmsg_len = CMSG_LEN(sizeof(who));
  memcpy(CMSG_DATA(head), &who, sizeof(who));
  const ssize_t sent = sendmsg(socket.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  const int error = errno;
  if (sent < 0) return base::ErrnoStatus(error, "sendmsg", socket.path());
  if (static_cast<size_t>(sent) != bytes.size()) return absl::UnavailableError("sent in part");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<base::OwnedFd> ConnectAbstract(const base::OwnedFd& network,
                                              absl::string_view name) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path)) return base::ErrnoStatus(ENAMETOOLONG, "connect");
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  NSCTL_ASSIGN_OR_RETURN(base::OwnedFd result, MakeSocket(network));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (connect(result.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const int error = errno;
    return base::ErrnoStatus(error, "connect", kWhat);
  }
  return result;
}

absl::StatusOr<Reply> Ask(base::FdRef socket, uid_t uid, Command command, absl::string_view payload,
                          const CallLimits& limits) {
  NSCTL_RETURN_IF_ERROR(SendAs(socket, uid, RequestOf(command, payload)));
  NSCTL_ASSIGN_OR_RETURN(const std::string head, ReadBytes(socket, kReplyHeadSize, limits));
  Reply reply;
  NSCTL_ASSIGN_OR_RETURN(reply.head, ParseReplyHead(head));
  NSCTL_ASSIGN_OR_RETURN(reply.text, ReadBytes(socket, reply.head.size, limits));
  // It is C's.
  reply.text.resize(strnlen(reply.text.c_str(), reply.text.size()));
  return reply;
}

}  // namespace nsctl::engines::lxc
