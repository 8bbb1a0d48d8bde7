#include "cmd/usage.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(UsageError, IsToldFromOtherErrors) {
  EXPECT_TRUE(IsUsageError(UsageError("bad")));
  EXPECT_FALSE(IsUsageError(absl::InvalidArgumentError("bad")));
  EXPECT_FALSE(IsUsageError(absl::OkStatus()));
}

TEST(UnknownWord, AsksWhetherTheNearestWasMeant) {
  EXPECT_EQ(UnknownWord("type", "nett", {"mnt", "net"}).message(),
            "unknown type \"nett\"; did you mean \"net\"?");
  EXPECT_EQ(UnknownWord("type", "quux", {"mnt", "net"}).message(), "unknown type \"quux\"");
}

TEST(UnknownWord, CannotForgeTerminalOutput) {
  EXPECT_EQ(UnknownWord("type", "\x1b[2J\n", {}).message(), R"(unknown type "\x1b[2J\x0a")");
}

TEST(SplitLists, KeepsEmptyWords) {
  EXPECT_THAT(SplitLists({}), IsEmpty());
  EXPECT_THAT(SplitLists({"net"}), ElementsAre("net"));
  EXPECT_THAT(SplitLists({"net,,mnt", "pid", ","}), ElementsAre("net", "", "mnt", "pid", "", ""));
}

TEST(QuotedArgument, IsCutWhenLong) {
  EXPECT_EQ(QuotedArgument(std::string(200, 'x')), "\"" + std::string(77, 'x') + "...\"");
}

}  // namespace
}  // namespace nsctl::cmd
