#include "cmd/exec_cgroups.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::ElementsAre;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr char kHybrid[] =
    "30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(CgroupDirectories, AreOfEveryHierarchyThatIsMounted) {
  EXPECT_THAT(
      CgroupDirectories("9:name=systemd:/a:b\n4:cpu,cpuacct:/\n3:pids:/x\n0::/c d\n", kHybrid),
      IsOkAndHolds(ElementsAre("/sys/fs/cgroup/systemd/a:b", "/sys/fs/cgroup/cpu,cpuacct",
                               "/sys/fs/cgroup/unified/c d")));
}

TEST(CgroupDirectories, AreBelowWhatIsMounted) {
  constexpr char kPart[] = "31 30 0:27 /docker/1 /cg\\040x rw - cgroup2 cgroup rw\n";

  EXPECT_THAT(CgroupDirectories("0::/docker/1/a\n", kPart), IsOkAndHolds(ElementsAre("/cg x/a")));
  EXPECT_THAT(CgroupDirectories("0::/docker/1\n", kPart), IsOkAndHolds(ElementsAre("/cg x")));
  EXPECT_THAT(
      CgroupDirectories("0::/docker/12\n", kPart),
      StatusIs(absl::StatusCode::kNotFound, "cgroup /docker/12 is not below what is mounted here"));
}

TEST(CgroupDirectories, AreNoneWhereNothingIsMountedOrTheCgroupIsOutside) {
  EXPECT_THAT(CgroupDirectories("0::/\n", ""),
              StatusIs(absl::StatusCode::kNotFound, "no cgroups are mounted here"));
  EXPECT_THAT(CgroupDirectories("0::/../x\n", kHybrid), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(CgroupDirectories("x\n", kHybrid), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CgroupDirectories("0::/\n", "x\n"), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace nsctl::cmd
