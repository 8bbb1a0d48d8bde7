#include "nsdisc/users.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::nsdisc {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ParsePasswd, GivesNamesByUid) {
  const UserNames names = ParsePasswd(
      "root:x:0:0:root:/root:/bin/bash\n"
      "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
      "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
      "systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin\n");

  EXPECT_THAT(names, UnorderedElementsAre(Pair(0, "root"), Pair(1, "daemon"), Pair(65534, "nobody"),
                                          Pair(998, "systemd-network")));
}

TEST(ParsePasswd, FirstEntryOfAUidWins) {
  EXPECT_THAT(ParsePasswd("root:x:0:0:::\ntoor:x:0:0:::\n"), UnorderedElementsAre(Pair(0, "root")));
}

struct LineCase {
  const char* name;
  std::string line;
  bool is_entry;
};

class ParsePasswdLine : public ::testing::TestWithParam<LineCase> {};

TEST_P(ParsePasswdLine, IsAnEntryOrPassedOver) {
  const LineCase& row = GetParam();

  const UserNames names = ParsePasswd(absl::StrCat(row.line, "\nafter:x:7:7:::\n"));

  EXPECT_EQ(names.contains(5), row.is_entry);
  EXPECT_EQ(names.size(), row.is_entry ? 2u : 1u);
}

INSTANTIATE_TEST_SUITE_P(
    All, ParsePasswdLine,
    ::testing::Values(
        LineCase{"ordinary", "a:x:5:5:A:/:/bin/sh", true},
        LineCase{"no_fields_after_gid", "a:x:5:5", true},
        LineCase{"a_future_field", "a:x:5:5:A:/:/bin/sh:more", true},
        LineCase{"name_of_256_bytes", absl::StrCat(std::string(256, 'a'), ":x:5:5:::"), true},
        LineCase{"name_is_bytes", "\xff\x1b[1m:x:5:5:::", true}, LineCase{"empty_line", "", false},
        LineCase{"cut_before_gid", "a:x:5", false}, LineCase{"no_uid", "a:x::5:::", false},
        LineCase{"signed_uid", "a:x:+5:5:::", false},
        LineCase{"blank_in_uid", "a:x: 5:5:::", false},
        LineCase{"uid_past_32_bits", "a:x:4294967301:5:::", false},
        LineCase{"empty_name", ":x:5:5:::", false}, LineCase{"comment", "#a:x:5:5:::", false},
        LineCase{"nis_compat", "+a:x:5:5:::", false},
        LineCase{"name_of_257_bytes", absl::StrCat(std::string(257, 'a'), ":x:5:5:::"), false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParsePasswd, KeepsTheLargestUidAndRefusesMinusOne) {
  EXPECT_THAT(ParsePasswd("last:x:4294967294:0:::\nnone:x:4294967295:0:::\n"),
              UnorderedElementsAre(Pair(4294967294u, "last")));
}

TEST(ParsePasswd, ReadsALastLineWithoutItsNewline) {
  EXPECT_THAT(ParsePasswd("a:x:5:5:::"), UnorderedElementsAre(Pair(5, "a")));
}

TEST(ParsePasswd, FindsNothingInNothing) { EXPECT_THAT(ParsePasswd(""), IsEmpty()); }

}  // namespace
}  // namespace nsctl::nsdisc
