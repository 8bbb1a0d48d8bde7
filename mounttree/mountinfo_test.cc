#include "mounttree/mountinfo.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::mounttree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

// One row as text, so that whole rows compare.
std::string Show(const MountinfoRow& row) {
  return absl::StrCat(row.mount_id, "|", row.parent_id, "|", row.device_major, ":",
                      row.device_minor, "|", row.root, "|", row.mount_point, "|", row.mount_options,
                      "|", row.tags, "|", row.file_system, "|", row.source, "|", row.super_options);
}

std::vector<std::string> Rows(absl::string_view text) {
  std::vector<std::string> rows;
  EXPECT_THAT(ForEachMount(text, [&](const MountinfoRow& row) { rows.push_back(Show(row)); }),
              IsOk());
  return rows;
}

struct LineCase {
  const char* name;
  const char* line;
  const char* row;
};

class MountinfoLine : public ::testing::TestWithParam<LineCase> {};

TEST_P(MountinfoLine, IsSplitIntoFields) {
  EXPECT_THAT(Rows(GetParam().line), ElementsAre(GetParam().row));
}

INSTANTIATE_TEST_SUITE_P(
    Kernel, MountinfoLine,
    ::testing::Values(
        LineCase{"NoTags", "24 1 8:33 / / rw,relatime - ext4 /dev/root rw,discard\n",
                 "24|1|8:33|/|/|rw,relatime||ext4|/dev/root|rw,discard"},
        LineCase{"OneTag", "25 24 0:22 / /proc rw shared:5 - proc proc rw\n",
                 "25|24|0:22|/|/proc|rw|shared:5|proc|proc|rw"},
        LineCase{
            "ManyTags",
            "36 35 98:0 /m /mnt rw shared:1 master:2 propagate_from:3 unbindable later:9 - x y z",
            "36|35|98:0|/m|/mnt|rw|shared:1 master:2 propagate_from:3 unbindable later:9|x|y|z"},
        // fs/namespace.c prints an empty source for file systems mounted with "".
        LineCase{"EmptySource", "40 24 0:30 / /t rw - tmpfs  rw\n",
                 "40|24|0:30|/|/t|rw||tmpfs||rw"},
        LineCase{"HyphenInPath", "41 24 0:31 / /a\\040-\\040b rw - tmpfs none rw",
                 "41|24|0:31|/|/a\\040-\\040b|rw||tmpfs|none|rw"},
        LineCase{"Nsfs", "50 24 0:4 net:[4026532000] /run/netns/x rw shared:9 - nsfs nsfs rw",
                 "50|24|0:4|net:[4026532000]|/run/netns/x|rw|shared:9|nsfs|nsfs|rw"},
        LineCase{"BlanksInSuperOptions", "51 24 0:5 / /o rw - fuse.x src rw,a b",
                 "51|24|0:5|/|/o|rw||fuse.x|src|rw,a b"},
        LineCase{"LargestNumbers", "4294967295 4294967295 4294967295:4294967295 / / rw - a b c",
                 "4294967295|4294967295|4294967295:4294967295|/|/|rw||a|b|c"}),
    [](const auto& info) { return info.param.name; });

TEST(Mountinfo, VisitsRowsInOrder) {
  EXPECT_THAT(Rows("1 0 0:1 / / rw - a b c\n2 1 0:2 / /x rw - d e f\n"),
              ElementsAre("1|0|0:1|/|/|rw||a|b|c", "2|1|0:2|/|/x|rw||d|e|f"));
}

TEST(Mountinfo, EmptyTextHasNoRows) { EXPECT_THAT(Rows(""), IsEmpty()); }

TEST(Mountinfo, TakesLinesLongerThanAnyPageSize) {
  const std::string options(100000, 'x');
  EXPECT_THAT(Rows(absl::StrCat("1 0 0:1 / / rw - overlay o ", options, "\n")),
              ElementsAre(absl::StrCat("1|0|0:1|/|/|rw||overlay|o|", options)));
}

struct FaultCase {
  const char* name;
  const char* text;
  const char* message;
};

class MountinfoFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(MountinfoFault, NamesLineAndField) {
  EXPECT_THAT(ForEachMount(GetParam().text, [](const MountinfoRow&) {}),
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Mountinfo, MountinfoFault,
    ::testing::Values(
        FaultCase{"CutLine", "1 0 0:1 / / rw - a b c\n2 1 0:2 / /x rw",
                  "mountinfo line 2: bad mount options: \"2 1 0:2 / /x rw\""},
        FaultCase{"NoSeparator", "2 1 0:2 / /x rw shared:1 ext4 b c",
                  "mountinfo line 1: bad separator: \"2 1 0:2 / /x rw shared:1 ext4 b c\""},
        FaultCase{"HugeNumber", "4294967296 1 0:2 / /x rw - a b c",
                  "mountinfo line 1: bad mount id: \"4294967296 1 0:2 / /x rw - a b c\""},
        FaultCase{"Sign", "1 -1 0:2 / /x rw - a b c",
                  "mountinfo line 1: bad parent id: \"1 -1 0:2 / /x rw - a b c\""},
        FaultCase{"Device", "1 1 02 / /x rw - a b c",
                  "mountinfo line 1: bad device: \"1 1 02 / /x rw - a b c\""},
        FaultCase{"EmptyLine", "\n", "mountinfo line 1: bad mount id: \"\""},
        FaultCase{"ControlBytesEscaped", "\x1b[2J",
                  "mountinfo line 1: bad mount id: \"\\x1b[2J\""}),
    [](const auto& info) { return info.param.name; });

TEST(DecodeMountText, DecodesWhatTheKernelEscapes) {
  EXPECT_EQ(DecodeMountText(R"(/a\040b\011c\012d\134e\043f)"), "/a b\tc\nd\\e#f");
}

TEST(DecodeMountText, LeavesOtherBackslashesAlone) {
  EXPECT_EQ(DecodeMountText(R"(\)"), R"(\)");
  EXPECT_EQ(DecodeMountText(R"(\04)"), R"(\04)");
  EXPECT_EQ(DecodeMountText(R"(\xff)"), R"(\xff)");
  EXPECT_EQ(DecodeMountText(R"(\777)"), R"(\777)");
}

}  // namespace
}  // namespace nsctl::mounttree
