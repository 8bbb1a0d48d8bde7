#include "procfsroot/descriptor_message.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "base/poll_timeout.h"

namespace nsctl::procfsroot {
namespace {

using base::ErrnoStatus;
using base::FdRef;
using base::OwnedFd;

// One descriptor beside one byte or more, as unix(7) wants it.
struct Message {
  Message(void* data, size_t size) {
    vector = {.iov_base = data, .iov_len = size};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
  }

  struct iovec vector;
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr header = {};
};

}  // namespace

void SendOutcome(int socket_fd, FetchOutcome outcome, int fd) {
  Message message(&outcome, sizeof(outcome));
  if (fd >= 0) {
    struct cmsghdr* const rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
  } else {
    message.header.msg_control = nullptr;
    message.header.msg_controllen = 0;
  }
  syscall(SYS_sendmsg, socket_fd, &message.header, MSG_NOSIGNAL);
}

absl::StatusOr<FetchResult> ReceiveOutcome(FdRef socket_fd, absl::Duration timeout,
                                           absl::string_view name) {
  struct pollfd waiting = {.fd = socket_fd.get(), .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = poll(&waiting, 1, base::PollTimeout(timeout));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return ErrnoStatus(ETIMEDOUT, "poll", name);
  FetchResult result;
  Message message(&result.outcome, sizeof(result.outcome));
  const ssize_t size = recvmsg(socket_fd.get(), &message.header, MSG_CMSG_CLOEXEC);
  if (size != static_cast<ssize_t>(sizeof(result.outcome))) {
    return ErrnoStatus(EPIPE, "recvmsg", name);
  }
  const struct cmsghdr* const rights = CMSG_FIRSTHDR(&message.header);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
    int fd;
    memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
    result.fd = OwnedFd(fd, std::string(name));
  }
  return result;
}

}  // namespace nsctl::procfsroot
