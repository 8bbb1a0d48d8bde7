#include "testing/resource_check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::testing {
namespace {

using ::testing::StartsWith;

TEST(ResourceCheck, FindsNothingWhereNothingIsLeft) {
  const Resources before = CurrentResources();

  EXPECT_EQ(DescribeLeaks(before, CurrentResources()), "");
}

TEST(ResourceCheck, NamesAnOpenDescriptor) {
  const Resources before = CurrentResources();
  const base::OwnedFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));

  const std::string leaks = DescribeLeaks(before, CurrentResources());

  EXPECT_EQ(leaks, absl::StrCat("fd ", fd.get(), " -> /dev/null\n"));
}

TEST(ResourceCheck, NamesADescriptorThatWasReplaced) {
  base::OwnedFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Resources before = CurrentResources();
  const base::OwnedFd other(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(dup3(other.get(), fd.get(), O_CLOEXEC), fd.get());

  const std::string leaks = DescribeLeaks(before, CurrentResources());

  EXPECT_THAT(leaks, StartsWith(absl::StrCat("fd ", fd.get(), " -> /dev/zero\n")));
}

TEST(ResourceCheck, NamesAChildThatWasNotWaitedFor) {
  const Resources before = CurrentResources();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(0);

  const std::string leaks = DescribeLeaks(before, CurrentResources());

  EXPECT_EQ(leaks, absl::StrCat("child process ", child, "\n"));
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
}

TEST(ResourceCheck, NamesARunningThreadUntilItIsJoined) {
  const Resources before = CurrentResources();
  std::mutex mutex;
  std::condition_variable changed;
  bool started = false;
  bool ended = false;
  std::thread thread([&] {
    std::unique_lock<std::mutex> lock(mutex);
    started = true;
    changed.notify_all();
    changed.wait(lock, [&] { return ended; });
  });
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return started; });
  }

  const std::string leaks = AwaitNoLeaks(before, absl::ZeroDuration());

  EXPECT_THAT(leaks, StartsWith("thread "));
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ended = true;
  }
  changed.notify_all();
  thread.join();
  EXPECT_EQ(AwaitNoLeaks(before, absl::Seconds(2)), "");
}

TEST(ResourceCheck, NamesAMountThatIsNew) {
  Resources before;
  before.mounts = {"/tmp/test/a", "/tmp/test/a"};
  Resources after;
  after.mounts = {"/tmp/test/a", "/tmp/test/a", "/tmp/test/a", "/tmp/test/b"};

  EXPECT_EQ(DescribeLeaks(before, after), "mount /tmp/test/a\nmount /tmp/test/b\n");
}

}  // namespace
}  // namespace nsctl::testing
