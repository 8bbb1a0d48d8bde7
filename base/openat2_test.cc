#include "base/openat2.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::StatusIs;

// A root with `inside`, a file, and `absolute`, a symlink to /inside.
class OpenAt2Test : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = absl::StrCat(::testing::TempDir(), "openat2_test.XXXXXX");
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = OwnedFd(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), name);
    ASSERT_EQ(symlinkat("/inside", root_.get(), "absolute"), 0);
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd inside,
                               OpenAt(root_, "inside", O_WRONLY | O_CREAT, 0600));
    ASSERT_THAT(WriteAll(inside, "content"), IsOk());
    const absl::Status tried = OpenAt2(root_, "inside", O_PATH, 0, 0).status();
    if (IsUnsupported(tried) || IsDenied(tried)) GTEST_SKIP() << "needs openat2: " << tried;
  }
  void TearDown() override {
    unlinkat(root_.get(), "absolute", 0);
    unlinkat(root_.get(), "inside", 0);
    rmdir(root_.path().c_str());
  }

  OwnedFd root_;
};

TEST_F(OpenAt2Test, StaysInTheRoot) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file,
                             OpenAt2(root_, "/../absolute", O_RDONLY, 0, RESOLVE_IN_ROOT));
  std::string content;

  ASSERT_THAT(ReadToEnd(file, 100, &content), IsOk());

  EXPECT_EQ(content, "content");
  EXPECT_EQ(file.path(), absl::StrCat(root_.path(), "/../absolute"));
}

TEST_F(OpenAt2Test, ClosesOnExec) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file, OpenAt2(root_, "inside", O_RDONLY, 0, 0));
  EXPECT_EQ(fcntl(file.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(OpenAt2Test, PassesTheModeOn) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file, OpenAt2(root_, ".", O_TMPFILE | O_RDWR, 0400, 0));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat status, Stat(file));
  EXPECT_EQ(status.st_mode & 0777, 0400u);
}

TEST_F(OpenAt2Test, RefusesWhatWasForbidden) {
  EXPECT_THAT(OpenAt2(root_, "absolute", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), HasErrno(ELOOP));
  EXPECT_THAT(OpenAt2(root_, "absolute", O_RDONLY, 0, RESOLVE_BENEATH), HasErrno(EXDEV));
  EXPECT_THAT(OpenAt2(FdRef(AT_FDCWD), "/proc/self/root", O_PATH, 0, RESOLVE_NO_MAGICLINKS),
              HasErrno(ELOOP));
  EXPECT_THAT(OpenAt2(FdRef(AT_FDCWD), "/proc", O_PATH, 0, RESOLVE_NO_XDEV), HasErrno(EXDEV));
}

TEST_F(OpenAt2Test, PassesUnknownFlagsOnToTheKernel) {
  EXPECT_THAT(OpenAt2(root_, "inside", O_RDONLY, 0, uint64_t{1} << 60), HasErrno(EINVAL));
}

TEST_F(OpenAt2Test, NamesThePathThatFailed) {
  EXPECT_THAT(OpenAt2(root_, "/gone", O_RDONLY, 0, RESOLVE_IN_ROOT),
              StatusIs(absl::StatusCode::kNotFound,
                       absl::StrCat("openat2 ", root_.path(),
                                    "/gone: No such file or directory (ENOENT)")));
}

}  // namespace
}  // namespace nsctl::base
