#include "cmd/cpu_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(ParseCpuList, ReadsWhatTheKernelPrints) {
  EXPECT_THAT(ParseCpuList("0-3,8"), Optional(ElementsAre(CpuRange{0, 3}, CpuRange{8, 8})));
  EXPECT_THAT(ParseCpuList("5"), Optional(ElementsAre(CpuRange{5, 5})));
  EXPECT_THAT(ParseCpuList(""), Optional(IsEmpty()));
}

TEST(ParseCpuList, RefusesOtherText) {
  for (const char* text :
       {",", "1,", "-1", "1-", "3-1", "a", "1 ", " 1", "+1", "1-2-3", "4294967296"}) {
    EXPECT_THAT(ParseCpuList(text), Eq(std::nullopt)) << text;
  }
}

}  // namespace
}  // namespace nsctl::cmd
