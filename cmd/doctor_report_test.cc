#include "cmd/doctor_report.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nsctl::cmd {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A caller with all privileges on a host that hides nothing.
DoctorFacts MakeFacts() {
  DoctorFacts facts;
  facts.effective_capabilities = ~uint64_t{0};
  facts.seccomp_mode = 0;
  facts.pid_namespace = 0xEFFFFFFC;
  facts.user_namespace = 0xEFFFFFFD;
  facts.cgroup_namespace = 0xEFFFFFFB;
  facts.cgroups = CgroupLayout::kV2;
  facts.procfs_path = "/procfs";
  facts.procfs_is_kernel = true;
  facts.procfs_has_own_pids = true;
  facts.mount = ProcfsMount();
  facts.reach.set_processes(3);
  facts.reach.set_readable(3);
  return facts;
}

// "missing not held: consequence" of the check `name`.
std::string Verdict(const DoctorFacts& facts, const std::string& name) {
  const DoctorReport report = JudgeDoctorFacts(facts);
  for (const DoctorReport::Check& check : report.checks()) {
    if (check.name() != name) continue;
    const std::string verdict =
        absl::StrCat(DoctorReport::Check::State_Name(check.state()), " ", check.value());
    return check.consequence().empty() ? verdict : absl::StrCat(verdict, ": ", check.consequence());
  }
  return "no such check";
}

TEST(JudgeDoctorFacts, FindsNothingMissingWhereAllIsThere) {
  const DoctorReport report = JudgeDoctorFacts(MakeFacts());

  EXPECT_THAT(report.missing(), IsEmpty());
  for (const DoctorReport::Check& check : report.checks()) {
    EXPECT_EQ(check.state(), DoctorReport::Check::good) << check.name();
    EXPECT_EQ(check.consequence(), "") << check.name();
  }
  EXPECT_THAT(report.effective_capabilities(), Contains("CAP_SYS_ADMIN"));
}

TEST(JudgeDoctorFacts, SaysWhatFollowsFromMissingCapabilities) {
  DoctorFacts facts = MakeFacts();
  facts.effective_capabilities = 0;
  EXPECT_EQ(Verdict(facts, "CAP_SYS_PTRACE"),
            "missing not held: the namespaces of other users' processes are unknown");
  EXPECT_EQ(Verdict(facts, "CAP_SYS_ADMIN"), "limited not held: namespaces cannot be entered");

  facts.effective_capabilities.reset();
  EXPECT_EQ(Verdict(facts, "CAP_SYS_ADMIN"), "unknown unknown: namespaces cannot be entered");
}

TEST(JudgeDoctorFacts, KnowsInnerNamespaces) {
  DoctorFacts facts = MakeFacts();
  facts.pid_namespace = 4026532000;
  facts.user_namespace.reset();

  EXPECT_EQ(Verdict(facts, "PID namespace"),
            "missing pid:[4026532000]: processes outside of it are invisible");
  EXPECT_EQ(Verdict(facts, "user namespace"),
            "unknown unknown: owners and parents outside of it are unknown");
}

TEST(JudgeDoctorFacts, KnowsThatPtraceOverridesHidepid) {
  DoctorFacts facts = MakeFacts();
  facts.mount = ProcfsMount{.hidepid = "invisible", .subset_pid = false};
  EXPECT_EQ(Verdict(facts, "hidepid"), "good invisible");

  facts.effective_capabilities = 0;
  EXPECT_EQ(Verdict(facts, "hidepid"), "missing invisible: other users' processes are hidden");
}

TEST(JudgeDoctorFacts, KnowsYama) {
  struct Case {
    int scope;
    uint64_t capabilities;
    const char* verdict;
  };
  const Case cases[] = {
      {0, 0, "good 0"},
      {1, 0, "limited 1: descriptors of other processes cannot be copied"},
      {1, ~uint64_t{0}, "good 1"},
      {2, ~uint64_t{0}, "good 2"},
      {3, ~uint64_t{0}, "limited 3: descriptors of other processes cannot be copied"},
  };
  for (const Case& c : cases) {
    DoctorFacts facts = MakeFacts();
    facts.ptrace_scope = c.scope;
    facts.effective_capabilities = c.capabilities;
    EXPECT_EQ(Verdict(facts, "ptrace_scope"), c.verdict) << c.scope;
  }
}

TEST(JudgeDoctorFacts, CountsWhoDoesNotShowNamespaces) {
  DoctorFacts facts = MakeFacts();
  facts.reach.set_readable(2);
  facts.reach.set_denied(1);
  facts.reach.set_first_denied("pid:1");
  facts.reach.set_first_error("EACCES");

  EXPECT_THAT(JudgeDoctorFacts(facts).missing(),
              ElementsAre("processes (2 of 3 show their namespaces; first that does not: pid:1 "
                          "(EACCES)): namespaces that only the others are in are not found"));
}

TEST(JudgeDoctorFacts, TellsFeaturesOfOtherKernelsFromRefusedOnes) {
  DoctorFacts facts = MakeFacts();
  facts.features = {{"a", base::FeatureState::kMissing, ENOSYS, "6.19", "less"},
                    {"b", base::FeatureState::kDenied, EPERM, "5.6", "less"},
                    {"c", base::FeatureState::kUnknown, EIO, "5.6", "less"}};

  EXPECT_EQ(Verdict(facts, "a"), "limited missing (ENOSYS): less");
  EXPECT_EQ(Verdict(facts, "b"), "limited denied (EPERM): less");
  EXPECT_EQ(Verdict(facts, "c"), "unknown unknown (EIO): less");
}

}  // namespace
}  // namespace nsctl::cmd
