#include "procfsroot/process_files.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Fields 3 to 52 as Linux 6.18 prints them, for a process with nice 5, 3 threads and SCHED_RR 7.
constexpr char kTail[] =
    "S 1 77 77 0 -1 4194560 102 0 0 0 0 0 0 0 25 5 3 0 4711 2400256 128 18446744073709551615 1 1 0 "
    "0 "
    "0 0 0 4096 65536 0 0 0 17 1 7 2 0 0 0 0 0 0 0 0 0 0 0\n";

std::string Show(const StatFields& stat) {
  return absl::StrCat(stat.pid.value, "|", stat.name, "|", std::string(1, stat.state), "|",
                      stat.parent.value, "|", stat.kernel_thread, "|", stat.nice, "|",
                      stat.thread_count, "|", stat.start_time, "|", stat.realtime_priority, "|",
                      stat.policy);
}

struct NameCase {
  const char* name;
  std::string comm;
};

class StatName : public ::testing::TestWithParam<NameCase> {};

TEST_P(StatName, EndsAtTheLastParenthesis) {
  const std::string text = absl::StrCat("77 (", GetParam().comm, ") ", kTail);

  const absl::StatusOr<StatFields> stat = ParseStat(text);

  ASSERT_THAT(stat, IsOk());
  EXPECT_EQ(Show(*stat), absl::StrCat("77|", GetParam().comm, "|S|1|0|5|3|4711|7|2"));
}

INSTANTIATE_TEST_SUITE_P(Hostile, StatName,
                         ::testing::Values(NameCase{"Plain", "sleep"}, NameCase{"Empty", ""},
                                           NameCase{"Parentheses", ") S 1 (x"},
                                           NameCase{"Blanks", " a b "}, NameCase{"Newline", "a\nb"},
                                           NameCase{"NoUtf8", "\xff\xfe\x80"},
                                           NameCase{"Escape", "\x1b]52;c;\x07"},
                                           NameCase{"Digits", "1) R 2 3"}),
                         [](const auto& info) { return info.param.name; });

TEST(ParseStat, TellsKernelThreadsByTheirFlag) {
  // PF_KTHREAD is 0x00200000; kthreadd of Linux 6.18.
  const std::string text =
      "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0 18446744073709551615 0 0 0 "
      "0 "
      "0 0 0 2147483647 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0";

  const absl::StatusOr<StatFields> stat = ParseStat(text);

  ASSERT_THAT(stat, IsOk());
  EXPECT_EQ(Show(*stat), "2|kthreadd|S|0|1|0|1|3|0|0");
}

TEST(ParseStat, DoesWithoutFieldsAfterTheStartTime) {
  const absl::StatusOr<StatFields> stat =
      ParseStat("9 (a) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19");

  ASSERT_THAT(stat, IsOk());
  EXPECT_EQ(Show(*stat), "9|a|R|1|0|16|17|19|0|0");
}

struct FaultCase {
  const char* name;
  std::string text;
  std::string message;
};

class StatFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(StatFault, NamesTheField) {
  EXPECT_THAT(ParseStat(GetParam().text), StatusIs(kInvalid, GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, StatFault,
    ::testing::Values(
        FaultCase{"Empty", "", "stat line 1: bad field 2 (name): \"\""},
        FaultCase{"NoName", "12 sleep S 1", "stat line 1: bad field 2 (name): \"12 sleep S 1\""},
        FaultCase{"PidOverflow", "99999999999 (a) S 1",
                  "stat line 1: bad field 1 (pid): \"99999999999 (a) S 1\""},
        FaultCase{"Cut", "12 (a) S 1 2", "stat line 1: bad field 6 (missing): \"12 (a) S 1 2\""},
        FaultCase{"LongState", "12 (a) SS 1", "stat line 1: bad field 3: \"12 (a) SS 1\""},
        FaultCase{"Parent", "12 (a) S x", "stat line 1: bad field 4: \"12 (a) S x\""}),
    [](const auto& info) { return info.param.name; });

TEST(ParseStatus, TakesTheFieldsItKnowsAndSkipsTheRest) {
  const std::string text =
      "Name:\tsleep\nUmask:\t0022\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t6427\t235\t7\n"
      "CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n"
      "Future:\t\x01 9\nCapEff:\t000001fffeffffff\nCapBnd:\t0000000000000004\n"
      "CapAmb:\t0000000000000008\nCapNew:\tx\nNoNewPrivs:\t1\n";

  const absl::StatusOr<StatusFields> status = ParseStatus(text);

  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(status->real_uid, 1000u);
  EXPECT_EQ(status->effective_uid, 1001u);
  EXPECT_EQ(status->namespaced_pids, "6427\t235\t7");
  EXPECT_EQ(status->effective_capabilities, 0x1fffeffffffu);
  EXPECT_EQ(status->inheritable_capabilities, 1u);
  EXPECT_EQ(status->permitted_capabilities, 2u);
  EXPECT_EQ(status->bounding_capabilities, 4u);
  EXPECT_EQ(status->ambient_capabilities, 8u);
  EXPECT_EQ(status->no_new_privileges, true);
}

TEST(ParseStatus, NamesTheLineAndField) {
  EXPECT_THAT(ParseStatus("Name:\tx\nUid:\t-1\t0\n"),
              StatusIs(kInvalid, "status line 2: bad Uid: \"Uid:\\x09-1\\x090\""));
  EXPECT_THAT(ParseStatus("Uid:\t0\t0\t0\t0\nCapEff:\txyz\n"),
              StatusIs(kInvalid, "status line 2: bad CapEff: \"CapEff:\\x09xyz\""));
  EXPECT_THAT(ParseStatus("Uid:\t0\t0\t0\t0\nCapAmb:\t\n"),
              StatusIs(kInvalid, "status line 2: bad CapAmb: \"CapAmb:\\x09\""));
  EXPECT_THAT(ParseStatus("Name:\tx\n"), StatusIs(kInvalid, "status: no Uid line"));
}

std::vector<int> Pids(absl::string_view list, bool* well_formed) {
  std::vector<int> pids;
  *well_formed = ForEachNamespacedPid(list, [&](base::Pid pid) { pids.push_back(pid.value); });
  return pids;
}

TEST(ForEachNamespacedPid, GoesFromTheOutermostInward) {
  bool well_formed = false;
  EXPECT_THAT(Pids("6427\t235\t7", &well_formed), ElementsAre(6427, 235, 7));
  EXPECT_TRUE(well_formed);
  EXPECT_THAT(Pids("", &well_formed), IsEmpty());
  EXPECT_TRUE(well_formed);
  Pids("12\tx", &well_formed);
  EXPECT_FALSE(well_formed);
}

std::vector<std::string> CgroupLines(absl::string_view text) {
  std::vector<std::string> lines;
  EXPECT_THAT(ParseCgroup(text,
                          [&](const CgroupLine& line) {
                            lines.push_back(absl::StrCat(line.hierarchy, "|", line.controllers, "|",
                                                         line.path));
                          }),
              IsOk());
  return lines;
}

TEST(ParseCgroup, ReadsBothVersions) {
  EXPECT_THAT(CgroupLines("4:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/user.slice\n"),
              ElementsAre("4|cpu,cpuacct|/a", "1|name=systemd|/b", "0||/user.slice"));
}

TEST(ParseCgroup, KeepsColonsInPaths) {
  EXPECT_THAT(CgroupLines("0::/cri-containerd:abc:def"), ElementsAre("0||/cri-containerd:abc:def"));
}

TEST(ParseCgroup, EmptyTextHasNoLines) { EXPECT_THAT(CgroupLines(""), IsEmpty()); }

TEST(ParseCgroup, NamesTheMalformedLine) {
  EXPECT_THAT(ParseCgroup("0::/\nx:y\n", [](const CgroupLine&) {}),
              StatusIs(kInvalid, "cgroup line 2: bad line: \"x:y\""));
}

std::vector<std::string> Arguments(absl::string_view text) {
  std::vector<std::string> arguments;
  ForEachArgument(text, [&](absl::string_view one) { arguments.emplace_back(one); });
  return arguments;
}

TEST(ForEachArgument, SplitsAtEveryNul) {
  EXPECT_THAT(Arguments(absl::string_view("a\0\0b c\0", 7)), ElementsAre("a", "", "b c"));
  EXPECT_THAT(Arguments(absl::string_view("a\0cut", 5)), ElementsAre("a", "cut"));
  EXPECT_THAT(Arguments(""), IsEmpty());
}

}  // namespace
}  // namespace nsctl::procfsroot
