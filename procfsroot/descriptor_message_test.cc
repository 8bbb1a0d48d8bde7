#include "procfsroot/descriptor_message.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using base::OwnedFd;
using testing::IsOk;

class DescriptorMessageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    in_ = OwnedFd(ends[0]);
    out_ = OwnedFd(ends[1]);
  }

  OwnedFd in_;
  OwnedFd out_;
};

TEST_F(DescriptorMessageTest, BringsTheOutcomeAndTheFile) {
  const OwnedFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));

  SendOutcome(out_.get(), {.step = 7, .error = 0}, file.get());
  const absl::StatusOr<FetchResult> result = ReceiveOutcome(in_, absl::Seconds(5), "/a/b");

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->outcome.step, 7);
  EXPECT_EQ(result->fd.path(), "/a/b");
  struct stat sent = {};
  struct stat received = {};
  ASSERT_EQ(fstat(file.get(), &sent), 0);
  ASSERT_EQ(fstat(result->fd.get(), &received), 0);
  EXPECT_EQ(received.st_rdev, sent.st_rdev);
}

TEST_F(DescriptorMessageTest, BringsAnErrorWithoutAFile) {
  SendOutcome(out_.get(), {.step = 2, .error = ELOOP}, -1);
  const absl::StatusOr<FetchResult> result = ReceiveOutcome(in_, absl::Seconds(5), "x");

  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->outcome.step, 2);
  EXPECT_EQ(result->outcome.error, ELOOP);
  EXPECT_FALSE(result->fd.ok());
}

TEST_F(DescriptorMessageTest, SaysThatNobodyAnswered) {
  EXPECT_EQ(base::ErrnoOf(ReceiveOutcome(in_, absl::Milliseconds(10), "x").status()), ETIMEDOUT);

  EXPECT_THAT(out_.Close(), IsOk());

  EXPECT_EQ(base::ErrnoOf(ReceiveOutcome(in_, absl::Seconds(5), "x").status()), EPIPE);
}

}  // namespace
}  // namespace nsctl::procfsroot
