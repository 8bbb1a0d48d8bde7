#include "engines/engine_rights.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/namespace_type.h"
#include "engines/container.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "procfsroot/procfs.h"
#include "testing/namespace_fixture.h"
#include "testing/resource_check.h"
#include "testing/status_matchers.h"

namespace nsctl::engines {
namespace {

int BecomeUser() { return setresuid(12321, 12321, 12321) == 0 ? 0 : errno; }

int DropCapabilities() {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

class SetStandingTest : public ::testing::Test {
 protected:
  // "UID", and "foreign" behind it.
  std::string StandingOf(base::Pid pid) const {
    Engine engine;
    SetStanding(procfs_, pid, &engine);
    return absl::StrCat(engine.has_uid() ? absl::StrCat(engine.uid()) : "unknown",
                        engine.foreign() ? " foreign" : "");
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
};

TEST_F(SetStandingTest, TellsTheHostsOwnFromOthers) {
  struct Case {
    std::string name;
    testing::ProcessSpec process;
    std::string standing;
  };
  const Case cases[] = {
      {"root", {}, "0"},
      {"with files of its own", {.namespaces = CLONE_NEWNS | CLONE_NEWNET}, "0"},
      {"without capabilities", {.setup = DropCapabilities}, "0 foreign"},
      {"a user", {.setup = BecomeUser}, "12321 foreign"},
      {"root of a user namespace", {.namespaces = CLONE_NEWUSER}, "0 foreign"},
      {"a user's root",
       {.namespaces = CLONE_NEWUSER, .uid_map = "0 12321 1", .gid_map = "0 12321 1"},
       "12321 foreign"},
      {"in a PID namespace", {.namespaces = CLONE_NEWPID}, "0 foreign"},
  };
  for (const Case& test : cases) {
    NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {test.process});
    EXPECT_EQ(StandingOf(fixture->last().pid), test.standing) << test.name;
  }
}

TEST_F(SetStandingTest, TakesTheUnknownForForeign) {
  EXPECT_EQ(StandingOf(base::Pid{4194305}), "unknown foreign");
}

TEST_F(SetStandingTest, TakesAUsersOwnForTheHosts) {
  // As an observer without privileges.
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {{.setup = BecomeUser}});
  ASSERT_EQ(seteuid(12321), 0);
  const std::string own = StandingOf(fixture->last().pid);
  const std::string roots = StandingOf(base::Pid{1});
  ASSERT_EQ(seteuid(0), 0);

  EXPECT_EQ(own, "12321");
  EXPECT_EQ(roots, "0");
}

}  // namespace
}  // namespace nsctl::engines
