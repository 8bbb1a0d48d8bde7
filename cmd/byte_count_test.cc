#include "cmd/byte_count.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(ParseByteCount, ReadsUnits) {
  EXPECT_THAT(ParseByteCount("0"), Optional(0u));
  EXPECT_THAT(ParseByteCount("4096"), Optional(4096u));
  EXPECT_THAT(ParseByteCount("12B"), Optional(12u));
  EXPECT_THAT(ParseByteCount("1K"), Optional(1024u));
  EXPECT_THAT(ParseByteCount("64k"), Optional(65536u));
  EXPECT_THAT(ParseByteCount("2MiB"), Optional(2u << 20));
  EXPECT_THAT(ParseByteCount("3GB"), Optional(uint64_t{3} << 30));
  EXPECT_THAT(ParseByteCount("1T"), Optional(uint64_t{1} << 40));
  EXPECT_THAT(ParseByteCount("18446744073709551615"), Optional(~uint64_t{0}));
}

TEST(ParseByteCount, RefusesOtherText) {
  for (const char* text : {"", "K", "-1", "+1", " 1", "1 ", "1.5K", "1X", "1KK", "1iB",
                           "18446744073709551616", "16777216T", "99999999999999999999K"}) {
    EXPECT_THAT(ParseByteCount(text), Eq(std::nullopt)) << text;
  }
}

}  // namespace
}  // namespace nsctl::cmd
