#include "engines/lxc/lxc_connection.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "base/namespace_type.h"
#include "base/test_child.h"
#include "engines/http_client.h"
#include "engines/lxc/lxc_messages.h"
#include "engines/stop_signal.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines::lxc {
namespace {

using testing::HasErrno;
using testing::IsOk;
using testing::StatusIs;

CallLimits Limits(absl::Duration time = absl::Seconds(30)) {
  return {.deadline = absl::Now() + time};
}

class LxcConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ours_ = base::OwnedFd(pair[0]);
    theirs_ = base::OwnedFd(pair[1]);
  }
  void Reply(absl::string_view bytes) {
    ASSERT_EQ(send(theirs_.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }

  base::OwnedFd ours_;
  base::OwnedFd theirs_;
};

TEST_F(LxcConnectionTest, AsksWithItsCredentials) {
  const int on = 1;
  ASSERT_EQ(setsockopt(theirs_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
  Reply(absl::StrCat(std::string("\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0", 16), std::string("web\0", 4)));

  const auto reply = Ask(ours_, geteuid(), Command::kGetConfigItem, "lxc.uts.name", Limits());

  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->text, "web");
  char bytes[64];
  alignas(cmsghdr) char control[256];
  struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  EXPECT_EQ(recvmsg(theirs_.get(), &message, 0), 16 + 12);
  const cmsghdr* const head = CMSG_FIRSTHDR(&message);
  ASSERT_NE(head, nullptr);
  struct ucred who = {};
  memcpy(&who, CMSG_DATA(head), sizeof(who));
  EXPECT_EQ(who.pid, getpid());
  EXPECT_EQ(who.uid, geteuid());
}

TEST_F(LxcConnectionTest, RefusesHostileReplies) {
  Reply(std::string("\0\0\0\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0", 16));
  EXPECT_THAT(Ask(ours_, geteuid(), Command::kGetState, "", Limits()),
              StatusIs(absl::StatusCode::kDataLoss));
  // Half of a head, then nothing.
  Reply("12345678");
  EXPECT_THAT(Ask(ours_, geteuid(), Command::kGetState, "", Limits(absl::Milliseconds(20))),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  ASSERT_THAT(theirs_.Close(), IsOk());
  EXPECT_THAT(Ask(ours_, geteuid(), Command::kGetState, "", Limits()), HasErrno(EPIPE));
}

TEST_F(LxcConnectionTest, EndsWhenTheMonitorHangsUp) {
  Reply("1234");
  ASSERT_EQ(shutdown(theirs_.get(), SHUT_WR), 0);

  EXPECT_THAT(Ask(ours_, geteuid(), Command::kGetState, "", Limits()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(LxcConnectionTest, IsStopped) {
  StopSignal stop;
  stop.Request();
  CallLimits limits = Limits();
  limits.stop = &stop;

  EXPECT_THAT(Ask(ours_, geteuid(), Command::kGetState, "", limits),
              StatusIs(absl::StatusCode::kCancelled));
}

std::string NameOf(absl::string_view test) { return absl::StrCat("nsctl-", getpid(), "-", test); }

int ListenAt(const std::string& name) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return errno;
  return listen(fd, 1) == 0 ? 0 : errno;
}

TEST(ConnectAbstract, ReachesAnotherNetworkNamespace) {
  const std::string name = NameOf("other");
  const auto child = base::TestChild::Start(CLONE_NEWNET, [&name] { return ListenAt(name); });
  NSCTL_SKIP_IF_LACKING(child.status(), "CAP_SYS_ADMIN");
  ASSERT_THAT(child, IsOk());
  NSCTL_ASSERT_OK_AND_ASSIGN(const base::OwnedFd network,
                             child->OpenNamespace(base::NamespaceType::kNet));

  EXPECT_THAT(ConnectAbstract(network, name), IsOk());
  // There is none of that name here, where the caller stays.
  EXPECT_THAT(ConnectAbstract(base::OwnedFd(), name), HasErrno(ECONNREFUSED));
}

TEST(ConnectAbstract, SaysWhyNot) {
  EXPECT_THAT(ConnectAbstract(base::OwnedFd(), NameOf("nobody")), HasErrno(ECONNREFUSED));
  EXPECT_THAT(ConnectAbstract(base::OwnedFd(), std::string(108, 'x')), HasErrno(ENAMETOOLONG));
}

}  // namespace
}  // namespace nsctl::engines::lxc
