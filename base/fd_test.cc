#include "base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::base {
namespace {

using ::nsctl::testing::HasErrno;
using ::nsctl::testing::IsOk;
using ::nsctl::testing::IsOkAndHolds;
using ::nsctl::testing::StatusIs;

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int OpenNull() { return open("/dev/null", O_RDWR | O_CLOEXEC); }

// A directory that goes with the test.
class FdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = absl::StrCat(::testing::TempDir(), "fd_test.XXXXXX");
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
    dir_ = OwnedFd(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), name);
    ASSERT_TRUE(dir_.ok());
  }
  void TearDown() override {
    unlinkat(dir_.get(), "file", 0);
    rmdir(path_.c_str());
  }

  void WriteFile(absl::string_view content) {
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file,
                               OpenAt(dir_, "file", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_THAT(WriteAll(file, content), IsOk());
  }

  std::string path_;
  OwnedFd dir_;
};

TEST(OwnedFd, ClosesWhatItOwns) {
  int number = -1;
  {
    const OwnedFd fd(OpenNull());
    number = fd.get();
    ASSERT_TRUE(fd.ok());
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(OwnedFd, HoldsNothingAtFirst) {
  const OwnedFd fd;
  EXPECT_FALSE(fd.ok());
  EXPECT_EQ(fd.get(), -1);
}

TEST(OwnedFd, MovesWithItsPath) {
  OwnedFd from(OpenNull(), "null");
  const int number = from.get();

  const OwnedFd to = std::move(from);

  EXPECT_EQ(to.get(), number);
  EXPECT_EQ(to.path(), "null");
  EXPECT_TRUE(IsOpen(number));
  // What a moved-from object is.
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_FALSE(from.ok());
}

TEST(OwnedFd, ClosesTheOldOneOnAssignment) {
  OwnedFd fd(OpenNull(), "old");
  const int old = fd.get();

  fd = OwnedFd(OpenNull(), "new");

  EXPECT_FALSE(IsOpen(old));
  EXPECT_TRUE(IsOpen(fd.get()));
  EXPECT_EQ(fd.path(), "new");
}

TEST(OwnedFd, SurvivesAssignmentToItself) {
  OwnedFd fd(OpenNull(), "null");
  const int number = fd.get();
  OwnedFd& same = fd;

  fd = std::move(same);

  EXPECT_EQ(fd.get(), number);
  EXPECT_EQ(fd.path(), "null");
  EXPECT_TRUE(IsOpen(number));
}

TEST(OwnedFd, ReleaseGivesAway) {
  OwnedFd fd(OpenNull());

  const OwnedFd other(fd.Release());

  EXPECT_FALSE(fd.ok());
  EXPECT_TRUE(IsOpen(other.get()));
}

TEST(OwnedFd, CloseSaysHowItWent) {
  OwnedFd fd(OpenNull(), "null");
  const int number = fd.get();

  EXPECT_THAT(fd.Close(), IsOk());
  EXPECT_FALSE(IsOpen(number));
  EXPECT_THAT(fd.Close(), IsOk()) << "closing nothing";

  OwnedFd not_open(number, "gone");
  EXPECT_THAT(not_open.Close(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                         "close gone: Bad file descriptor (EBADF)"));
}

TEST(DescribePath, JoinsAsTheKernelResolves) {
  EXPECT_EQ(DescribePath(FdRef(3, "/proc/7"), "ns"), "/proc/7/ns");
  EXPECT_EQ(DescribePath(FdRef(3, "/"), "etc"), "/etc");
  EXPECT_EQ(DescribePath(FdRef(3, "/proc"), "/etc"), "/etc");
  EXPECT_EQ(DescribePath(FdRef(3, "/proc"), ""), "/proc");
  EXPECT_EQ(DescribePath(FdRef(3), "ns"), "ns");
}

TEST_F(FdTest, OpenAtRemembersThePathAndClosesOnExec) {
  WriteFile("");

  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file, OpenAt(dir_, "file", O_RDONLY));

  EXPECT_EQ(file.path(), absl::StrCat(path_, "/file"));
  EXPECT_EQ(fcntl(file.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(FdTest, OpenAtNamesThePathThatFailed) {
  EXPECT_THAT(
      OpenAt(dir_, "gone", O_RDONLY),
      StatusIs(absl::StatusCode::kNotFound,
               absl::StrCat("openat ", path_, "/gone: No such file or directory (ENOENT)")));
}

TEST_F(FdTest, StatTellsWhatIsOpen) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat status, Stat(dir_));
  EXPECT_TRUE(S_ISDIR(status.st_mode));
  EXPECT_THAT(Stat(FdRef(-1, "nothing")), HasErrno(EBADF));
}

TEST_F(FdTest, ReadToEndStopsAtTheLimit) {
  struct Case {
    const char* name;
    size_t size;
    size_t limit;
    absl::StatusCode code;
    size_t read;
  };
  const size_t large = 200000;
  const Case cases[] = {
      {"empty", 0, 10, absl::StatusCode::kOk, 0},
      {"empty with limit 0", 0, 0, absl::StatusCode::kOk, 0},
      {"below", 9, 10, absl::StatusCode::kOk, 9},
      {"exactly", 10, 10, absl::StatusCode::kOk, 10},
      {"one more", 11, 10, absl::StatusCode::kResourceExhausted, 10},
      {"limit 0", 1, 0, absl::StatusCode::kResourceExhausted, 0},
      {"larger than any buffer", large, large, absl::StatusCode::kOk, large},
      {"cut in the middle", large, large - 1, absl::StatusCode::kResourceExhausted, large - 1},
      {"no limit", large, SIZE_MAX, absl::StatusCode::kOk, large},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    WriteFile(std::string(c.size, 'x'));
    NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file, OpenAt(dir_, "file", O_RDONLY));
    std::string content = "replaced";

    const absl::Status status = ReadToEnd(file, c.limit, &content);

    EXPECT_THAT(status, StatusIs(c.code));
    EXPECT_EQ(content, std::string(c.read, 'x'));
  }
}

TEST_F(FdTest, ReadToEndNamesTheFileAndTheLimit) {
  WriteFile("abc");
  EXPECT_THAT(ReadFileAt(dir_, "file", 2),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       absl::StrCat("read ", path_, "/file: longer than 2 bytes")));
}

TEST_F(FdTest, ReadToEndReadsFilesThatSayTheyAreEmpty) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd file,
                             OpenAt(FdRef(AT_FDCWD), "/proc/self/status", O_RDONLY));
  NSCTL_ASSERT_OK_AND_ASSIGN(const struct stat status, Stat(file));
  ASSERT_EQ(status.st_size, 0);
  std::string content;

  EXPECT_THAT(ReadToEnd(file, 1 << 20, &content), IsOk());

  EXPECT_THAT(content, ::testing::StartsWith("Name:\t"));
}

TEST_F(FdTest, ReadToEndReturnsTheReadsError) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const OwnedFd directory, OpenAt(dir_, ".", O_RDONLY));
  std::string content;
  EXPECT_THAT(ReadToEnd(directory, 10, &content), HasErrno(EISDIR));
}

TEST_F(FdTest, ReadFileAtReadsAll) {
  WriteFile("content");
  EXPECT_THAT(ReadFileAt(dir_, "file", 100), IsOkAndHolds("content"));
  EXPECT_THAT(ReadFileAt(dir_, "gone", 100), HasErrno(ENOENT));
}

TEST(WriteAll, ReturnsTheWritesError) {
  const OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC), "/dev/full");
  EXPECT_THAT(WriteAll(full, "x"), StatusIs(absl::StatusCode::kResourceExhausted,
                                            "write /dev/full: No space left on device (ENOSPC)"));
  EXPECT_THAT(WriteAll(full, ""), IsOk());
}

TEST(WriteAll, GoesOnAfterShortWrites) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const OwnedFd reader(ends[0]);
  OwnedFd writer(ends[1]);
  const std::string data(3000, 'x');

  ASSERT_THAT(WriteAll(writer, data), IsOk());
  ASSERT_THAT(writer.Close(), IsOk());

  std::string content;
  EXPECT_THAT(ReadToEnd(reader, 1 << 20, &content), IsOk());
  EXPECT_EQ(content, data);
}

}  // namespace
}  // namespace nsctl::base
