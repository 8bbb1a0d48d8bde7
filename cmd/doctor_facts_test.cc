#include "cmd/doctor_facts.h"

#include <string>

#include "cmd/fake_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace nsctl::cmd {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(ParseProcfsMount, FindsTheMountOfTheDevice) {
  constexpr char kText[] =
      "24 1 8:1 / / rw - ext4 /dev/root rw\n"
      "25 24 0:21 / /proc rw,nosuid shared:3 - proc proc rw,hidepid=invisible,gid=5\n"
      "26 24 0:22 / /other\\040proc rw - proc proc rw,subset=pid\n"
      "27 24 0:23 / /sys rw - sysfs sysfs rw,hidepid=1\n";

  EXPECT_THAT(ParseProcfsMount(kText, 0, 21),
              Optional(Eq(ProcfsMount{.hidepid = "invisible", .subset_pid = false})));
  EXPECT_THAT(ParseProcfsMount(kText, 0, 22),
              Optional(Eq(ProcfsMount{.hidepid = "", .subset_pid = true})));
  // None has it, so the last one is as good as any.
  EXPECT_THAT(ParseProcfsMount(kText, 0, 99),
              Optional(Eq(ProcfsMount{.hidepid = "", .subset_pid = true})));
}

TEST(ParseProcfsMount, PassesOverWhatIsNoMount) {
  for (const char* text : {"", "\n", " - ", " - proc", "1 2 0:21 / /proc rw", "x - proc proc rw"}) {
    EXPECT_THAT(ParseProcfsMount(text, 0, 21), Eq(std::nullopt)) << text;
  }
}

TEST(ParseCgroupLayout, TellsHierarchies) {
  EXPECT_EQ(ParseCgroupLayout("0::/init.scope\n"), CgroupLayout::kV2);
  EXPECT_EQ(ParseCgroupLayout("4:cpu,cpuacct:/\n1:name=systemd:/a:b\n"), CgroupLayout::kV1);
  EXPECT_EQ(ParseCgroupLayout("1:name=systemd:/\n0::/\n"), CgroupLayout::kHybrid);
  EXPECT_EQ(ParseCgroupLayout(""), CgroupLayout::kUnknown);
  EXPECT_EQ(ParseCgroupLayout("nonsense\n"), CgroupLayout::kUnknown);
}

TEST(ParseSeccompMode, FindsTheField) {
  EXPECT_THAT(ParseSeccompMode("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"), Optional(2));
  EXPECT_THAT(ParseSeccompMode("Name:\tx\n"), Eq(std::nullopt));
  EXPECT_THAT(ParseSeccompMode("Seccomp:\tx\n"), Eq(std::nullopt));
}

TEST(CollectDoctorFacts, ReadsARecordedHost) {
  NSCTL_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<FakeSystem> system,
                             FakeSystem::FromRecordedTree("f 1/status\n"
                                                          "|Name: x\n"
                                                          "l 1/ns/pid pid:[4026531836]\n"
                                                          "l 1/ns/user user:[4026532000]\n"
                                                          "f 1/cgroup\n"
                                                          "|0::/\n"
                                                          "d 7\n"
                                                          "f sys/kernel/osrelease\n"
                                                          "|6.1\n"
                                                          "l self 1\n"));
  NSCTL_ASSERT_OK_AND_ASSIGN(const procfsroot::Procfs procfs, system->OpenProcfs(""));

  const DoctorFacts facts = CollectDoctorFacts(procfs, *system);

  EXPECT_EQ(facts.kernel_release, "6.1");
  EXPECT_THAT(facts.pid_namespace, Optional(4026531836));
  EXPECT_THAT(facts.user_namespace, Optional(4026532000));
  EXPECT_THAT(facts.cgroup_namespace, Eq(std::nullopt));
  EXPECT_THAT(facts.seccomp_mode, Eq(std::nullopt));
  EXPECT_EQ(facts.cgroups, CgroupLayout::kV2);
  EXPECT_FALSE(facts.procfs_is_kernel);
  EXPECT_EQ(facts.reach.processes(), 2u);
  EXPECT_EQ(facts.reach.readable(), 2u);
  EXPECT_EQ(facts.features.size(), 4u);
}

}  // namespace
}  // namespace nsctl::cmd
