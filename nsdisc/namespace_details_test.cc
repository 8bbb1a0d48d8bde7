#include "nsdisc/namespace_details.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::nsdisc {
namespace {

using testing::IsOk;
using testing::StatusIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ParseIdMap, ReadsEveryLine) {
  Namespace ns;

  EXPECT_THAT(ParseIdMap("         0       1000          1\n         1     100000      65536\n",
                         ns.mutable_uid_map()),
              IsOk());

  EXPECT_EQ(
      ns.ShortDebugString(),
      "uid_map { outside: 1000 count: 1 } uid_map { inside: 1 outside: 100000 count: 65536 }");
}

TEST(ParseIdMap, TakesTheWholeRangeAndNothing) {
  Namespace ns;

  EXPECT_THAT(ParseIdMap("0 0 4294967295\n", ns.mutable_uid_map()), IsOk());
  EXPECT_THAT(ParseIdMap("", ns.mutable_gid_map()), IsOk());

  EXPECT_EQ(ns.ShortDebugString(), "uid_map { count: 4294967295 }");
}

TEST(ParseIdMap, NamesTheMalformedLine) {
  Namespace ns;

  EXPECT_THAT(ParseIdMap("0 0 1\n0 0\n", ns.mutable_uid_map()),
              StatusIs(kInvalid, "id map line 2: \"0 0\""));
  EXPECT_THAT(ParseIdMap("0 0 4294967296\n", ns.mutable_uid_map()),
              StatusIs(kInvalid, "id map line 1: \"0 0 4294967296\""));
}

TEST(ParseClockOffsets, ReadsSignedSeconds) {
  Namespace ns;

  EXPECT_THAT(ParseClockOffsets("monotonic      -86400         5\nboottime   10   999999999\n",
                                ns.mutable_clock_offsets()),
              IsOk());

  EXPECT_EQ(ns.ShortDebugString(),
            "clock_offsets { clock: \"monotonic\" seconds: -86400 nanoseconds: 5 } "
            "clock_offsets { clock: \"boottime\" seconds: 10 nanoseconds: 999999999 }");
}

TEST(ParseClockOffsets, NamesTheMalformedLine) {
  Namespace ns;

  EXPECT_THAT(ParseClockOffsets("monotonic x 0\n", ns.mutable_clock_offsets()),
              StatusIs(kInvalid, "clock offsets line 1: \"monotonic x 0\""));
}

}  // namespace
}  // namespace nsctl::nsdisc
