#include "cmd/copy_progress.h"

#include "base/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::IsEmpty;

TEST(ProgressLine, SaysHowFarItIs) {
  CopyState state{.name = "1:/big", .done = 512 << 10, .size = 1 << 20, .bytes = 512 << 10};

  EXPECT_EQ(ProgressLine(state, absl::Seconds(2), 100),
            "[==========>         ]  50%  512K of 1.0M  256K/s  1:/big");
}

TEST(ProgressLine, CountsFilesAndLivesWithoutASize) {
  CopyState state{.name = "1:/proc/x", .done = 10, .files = 3, .bytes = 2048};

  EXPECT_EQ(ProgressLine(state, absl::Seconds(1), 100), "10  2.0K/s  3 files before  1:/proc/x");
}

TEST(ProgressLine, FitsItsLineAndHurtsNoTerminal) {
  CopyState state{
      .name = "1:/a\x1b[31m\n\xe4\xb8\xad\xe6\x96\x87", .done = 3, .size = 2, .bytes = 3};

  for (size_t width = 1; width < 90; ++width) {
    const std::string line = ProgressLine(state, absl::ZeroDuration(), width);
    EXPECT_LE(base::DisplayWidth(line), width);
    EXPECT_EQ(line, base::TerminalText(line));
  }
}

TEST(CopyProgress, DrawsNothingInTheFirstSecondAndNothingWithoutATerminal) {
  StringWriter err;
  CopyProgress progress(&err, 80);
  CopyProgress blind(&err, 0);

  progress.Begin("1:/x", 10);
  progress.Advance(10);
  progress.End();
  blind.Begin("1:/x", 10);

  EXPECT_THAT(err.text(), IsEmpty());
  EXPECT_EQ(progress.state().files, 1u);
  EXPECT_EQ(progress.state().bytes, 10u);
}

}  // namespace
}  // namespace nsctl::cmd
