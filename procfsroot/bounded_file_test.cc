#include "procfsroot/bounded_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/bounded_call.h"
#include "procfsroot/test_tree.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using base::OwnedFd;
using ::testing::Eq;
using testing::HasErrno;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Optional;

OwnedFd OpenIn(const TestTree& tree, const char* name, int flags = O_RDONLY) {
  return OwnedFd(open(tree.PathOf(name).c_str(), flags | O_CLOEXEC), name);
}

BoundedFile FileOf(const TestTree& tree, const char* name, int flags = O_RDONLY) {
  return BoundedFile(std::make_shared<BoundedCaller>(), absl::Seconds(20),
                     OpenIn(tree, name, flags));
}

TEST(BoundedFile, ReadsPieceByPiece) {
  TestTree tree({{'f', "file", "abcdefg"}});
  BoundedFile file = FileOf(tree, "file");

  EXPECT_THAT(file.Read(3), IsOkAndHolds("abc"));
  EXPECT_THAT(file.Read(100), IsOkAndHolds("defg"));
  EXPECT_THAT(file.Read(100), IsOkAndHolds(""));
  EXPECT_THAT(file.Seek(5), IsOk());
  EXPECT_THAT(file.Read(100), IsOkAndHolds("fg"));
}

TEST(BoundedFile, SaysWhatCannotBeRead) {
  TestTree tree({{'d', "directory"}});

  EXPECT_THAT(FileOf(tree, "directory").Read(10), HasErrno(EISDIR));
}

TEST(BoundedFile, WaitsForAFifoAndNotForEver) {
  TestTree tree({{'p', "fifo"}});
  BoundedFile reader(std::make_shared<BoundedCaller>(), absl::Milliseconds(200),
                     OpenIn(tree, "fifo", O_RDONLY | O_NONBLOCK));
  const OwnedFd writer = OpenIn(tree, "fifo", O_WRONLY);

  EXPECT_THAT(reader.Read(10), HasErrno(ETIMEDOUT));
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  EXPECT_THAT(reader.Read(10), IsOkAndHolds("x"));
}

TEST(BoundedFile, FindsDataBetweenHoles) {
  TestTree tree({{'f', "file"}});
  constexpr off_t kData = 1 << 20;
  constexpr off_t kSize = 4 << 20;
  const OwnedFd writer = OpenIn(tree, "file", O_WRONLY);
  ASSERT_EQ(pwrite(writer.get(), "x", 1, kData), 1);
  ASSERT_EQ(ftruncate(writer.get(), kSize), 0);
  if (lseek(writer.get(), 0, SEEK_DATA) == 0) GTEST_SKIP() << "a file system without holes";
  BoundedFile file = FileOf(tree, "file");

  NSCTL_ASSERT_OK_AND_ASSIGN(const std::optional<DataExtent> found, file.FindData(0));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->begin, uint64_t{kData});
  EXPECT_GT(found->end, uint64_t{kData});
  EXPECT_LT(found->end, uint64_t{kSize});
  EXPECT_THAT(file.FindData(found->end), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(file.FindData(kData + 1), IsOkAndHolds(Optional(DataExtent{kData + 1, found->end})));
  EXPECT_THAT(file.FindData(kSize), IsOkAndHolds(Eq(std::nullopt)));
}

TEST(BoundedFile, CopiesWithinTheKernel) {
  TestTree tree({{'f', "from", "abcdefg"}, {'f', "to"}});
  BoundedFile file = FileOf(tree, "from");
  const auto out = std::make_shared<const OwnedFd>(OpenIn(tree, "to", O_WRONLY));

  const absl::StatusOr<uint64_t> copied = file.CopyRange(out, 2, 3);
  if (!copied.ok()) GTEST_SKIP() << copied.status();
  EXPECT_EQ(*copied, 3u);
  EXPECT_THAT(file.CopyRange(out, 7, 10), IsOkAndHolds(0u));
  EXPECT_THAT(FileOf(tree, "to").Read(10), IsOkAndHolds(absl::string_view("\0\0cde", 5)));
}

TEST(BoundedFile, RefusesWhatCannotTakeARange) {
  TestTree tree({{'f', "from", "abc"}, {'f', "to"}});
  const auto read_only = std::make_shared<const OwnedFd>(OpenIn(tree, "to"));

  EXPECT_THAT(FileOf(tree, "from").CopyRange(read_only, 0, 3), HasErrno(EBADF));
}

}  // namespace
}  // namespace nsctl::procfsroot
