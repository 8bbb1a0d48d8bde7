#include "procfsroot/open_apart.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/run_in_child.h"
#include "testing/resource_check.h"
#include "testing/silent_fuse.h"
#include "testing/status_matchers.h"
#include "testing/test_directory.h"

namespace nsctl::procfsroot {
namespace {

using base::FdRef;
using base::OwnedFd;
using testing::IsOk;

constexpr absl::Duration kLong = absl::Seconds(30);

class OpenApartTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    struct stat status = {};
    ASSERT_EQ(mkdir(Below("d").c_str(), 0755), 0);
    ASSERT_EQ(mkdir(Below("d/e").c_str(), 0755), 0);
    ASSERT_TRUE(
        OwnedFd(open(Below("d/e/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644)).ok());
    ASSERT_EQ(symlink("d", Below("link").c_str()), 0);
    ASSERT_EQ(symlink("file", Below("d/e/link").c_str()), 0);
    ASSERT_EQ(stat(directory_.path().c_str(), &status), 0);
    device_ = status.st_dev;
    root_ = OwnedFd(open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  std::string Below(const std::string& path) const {
    return absl::StrCat(directory_.path(), "/", path);
  }
  ApartPath At(const std::string& path) const {
    return {.directory = root_, .path = path, .device = device_, .without_openat2 = GetParam()};
  }
  int ErrorOf(const ApartPath& what) const {
    return base::ErrnoOf(OpenApart(what, kLong).status());
  }

  testing::TestDirectory directory_;
  OwnedFd root_;
  dev_t device_ = 0;
};

TEST_P(OpenApartTest, HandsOverAHandleOfWhatIsThere) {
  for (const char* const path : {"d/e/file", "/d//e/./file"}) {
    SCOPED_TRACE(path);
    const absl::StatusOr<OwnedFd> handle = OpenApart(At(path), kLong);
    ASSERT_THAT(handle, IsOk());
    struct stat expected = {};
    struct stat found = {};
    ASSERT_EQ(stat(Below("d/e/file").c_str(), &expected), 0);
    ASSERT_EQ(fstat(handle->get(), &found), 0);
    EXPECT_EQ(found.st_ino, expected.st_ino);
    EXPECT_EQ(fcntl(handle->get(), F_GETFL) & O_PATH, O_PATH);
    EXPECT_EQ(fcntl(handle->get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_P(OpenApartTest, BeginsAtTheCallersRootWithoutADirectory) {
  ApartPath what = At(Below("d/e/file"));
  what.directory = FdRef(AT_FDCWD);

  EXPECT_THAT(OpenApart(what, kLong), IsOk());

  what.path = Below("link/e/link");
  what.follow_links = true;
  EXPECT_THAT(OpenApart(what, kLong), IsOk());
}

TEST_P(OpenApartTest, FollowsNoLinkAndDoesNotGoUp) {
  EXPECT_THAT(ErrorOf(At("link/e/file")), ::testing::AnyOf(ELOOP, ENOTDIR));
  EXPECT_EQ(ErrorOf(At("d/none")), ENOENT);
  EXPECT_EQ(ErrorOf(At("d/e/file/x")), ENOTDIR);
  // Below the root, so there is no harm in it where the kernel sees to that.
  EXPECT_EQ(ErrorOf(At("../d/e/file")), GetParam() ? EINVAL : 0);
}

TEST_P(OpenApartTest, TakesNothingOfAnotherDevice) {
  ApartPath what = At("d/e/file");
  what.device = makedev(250, 1);

  EXPECT_EQ(ErrorOf(what), ESTALE);
}

INSTANTIATE_TEST_SUITE_P(All, OpenApartTest, ::testing::Bool(), [](const auto& info) {
  return info.param ? "ByComponents" : "ByOpenat2";
});

// Each is waited for, but all together no longer than one could bear.
TEST(OpenApart, LeavesBehindWhoWaitsForASilentServer) {
  const testing::TestDirectory directory;
  NSCTL_RUN_IN_CHILD_OR_SKIP(CLONE_NEWNS, [&]() -> std::string {
    absl::StatusOr<std::unique_ptr<testing::SilentFuse>> fuse =
        testing::SilentFuse::Mount(directory.path());
    if (!fuse.ok()) return std::string(fuse.status().message());
    (*fuse)->GoSilent();
    const ApartPath what = {.path = absl::StrCat(directory.path(), "/d/file")};
    const absl::Time start = absl::Now();
    // One whose request the server has not taken by then can be killed, and is not left behind.
    while (ChildrenLeftBehind() < kMaxLeftBehind) {
      NSCTL_CHILD_EXPECT(base::ErrnoOf(OpenApart(what, absl::Seconds(2)).status()) == ETIMEDOUT);
      NSCTL_CHILD_EXPECT(absl::Now() - start < absl::Seconds(30));
    }
    NSCTL_CHILD_EXPECT((*fuse)->unanswered() > 0);
    NSCTL_CHILD_EXPECT(base::ErrnoOf(OpenApart(what, absl::Seconds(2)).status()) == EBUSY);
    fuse->reset();
    const absl::Time deadline = absl::Now() + kLong;
    while (ChildrenLeftBehind() > 0 && absl::Now() < deadline)
      absl::SleepFor(absl::Milliseconds(1));
    NSCTL_CHILD_EXPECT(ChildrenLeftBehind() == 0);
    return "";
  });
}

}  // namespace
}  // namespace nsctl::procfsroot
