#include "procfsroot/process_identity.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOkAndHolds;
using testing::StatusIs;

// A captured status file, lines that do not matter here left out.
constexpr char kStatus[] =
    "Name:\tsleep\nUmask:\t0022\nUid:\t1000\t1001\t1002\t1003\nGid:\t100\t101\t102\t103\n"
    "FDSize:\t64\nGroups:\t24 27 1000 \nNStgid:\t7\n"
    "CapInh:\t0000000800000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fa\n"
    "CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000400\nNoNewPrivs:\t0\nSeccomp:\t2\n"
    "Seccomp_filters:\t1\n";

TEST(ProcessIdentity, IsWhatTheStatusSays) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessIdentity identity, ParseProcessIdentity(kStatus));

  EXPECT_EQ(identity.effective_uid, 1001u);
  EXPECT_EQ(identity.effective_gid, 101u);
  EXPECT_THAT(identity.groups, ElementsAre(24, 27, 1000));
  EXPECT_EQ(identity.inheritable, 0x800000000u);
  EXPECT_EQ(identity.permitted, 0xa80425fbu);
  EXPECT_EQ(identity.effective, 0xa80425fau);
  EXPECT_EQ(identity.bounding, 0x1ffffffffffu);
  EXPECT_EQ(identity.ambient, 0x400u);
  EXPECT_EQ(identity.seccomp_mode, 2);
}

TEST(ProcessIdentity, MayHaveNoGroups) {
  const std::string text = absl::StrReplaceAll(kStatus, {{"24 27 1000 ", ""}});

  NSCTL_ASSERT_OK_AND_ASSIGN(const ProcessIdentity identity, ParseProcessIdentity(text));

  EXPECT_THAT(identity.groups, IsEmpty());
}

TEST(ProcessIdentity, RefusesWhatTheKernelDoesNotPrint) {
  const auto with = [](const char* from, const char* to) {
    return ParseProcessIdentity(absl::StrReplaceAll(kStatus, {{from, to}})).status();
  };

  EXPECT_THAT(ParseProcessIdentity(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(with("CapAmb", "CapXyz"),
              StatusIs(absl::StatusCode::kInvalidArgument, "lines are missing"));
  EXPECT_THAT(with("1000 ", "1000 99999999999"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(with("\t1001", ""), StatusIs(absl::StatusCode::kInvalidArgument,
                                           R"(malformed line "Uid:\x091000\x091002\x091003")"));
  EXPECT_THAT(with("a80425fa", "g"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(MapIdInside, FollowsTheMap) {
  constexpr char kMap[] = "         0       1000          1\n         1     100000      65536\n";

  EXPECT_THAT(MapIdInside(kMap, 1000), IsOkAndHolds(std::optional<uint32_t>(0)));
  EXPECT_THAT(MapIdInside(kMap, 100000), IsOkAndHolds(std::optional<uint32_t>(1)));
  EXPECT_THAT(MapIdInside(kMap, 165535), IsOkAndHolds(std::optional<uint32_t>(65536)));
  EXPECT_THAT(MapIdInside(kMap, 165536), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(MapIdInside("0 0 4294967295\n", 4294967294),
              IsOkAndHolds(std::optional<uint32_t>(4294967294)));
  EXPECT_THAT(MapIdInside("", 0), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(MapIdInside("0 0\n", 0),
              StatusIs(absl::StatusCode::kInvalidArgument, "malformed line \"0 0\""));
}

}  // namespace
}  // namespace nsctl::procfsroot
