#include "engines/engine_rights.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

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

int BecomeOther() { return setresuid(12322, 12322, 12322) == 0 ? 0 : errno; }
// As a program with the set-user-ID bit that the user started.
int BecomeRootForUser() { return setresuid(12321, 0, 0) == 0 ? 0 : errno; }

int EnterUserNamespace() { return BecomeUser() == 0 && unshare(CLONE_NEWUSER) == 0 ? 0 : errno; }

class CanBeAroundTest : public ::testing::Test {
 protected:
  // By the word of user 12321.
  bool CanBeAround(base::Pid init, base::Pid process) const {
    const auto outer = procfs_.OpenProcess(init);
    const auto inner = procfs_.OpenProcess(process);
    return outer.ok() && inner.ok() && engines::CanBeAround(procfs_, 12321, *outer, *inner);
  }

  procfsroot::Procfs procfs_ = *procfsroot::Procfs::Live();
};

TEST_F(CanBeAroundTest, HoldsTheUsersOwn) {
  struct Case {
    std::string name;
    std::vector<testing::ProcessSpec> chain;
    bool can_be;
  };
  const testing::ProcessSpec user = {.setup = BecomeUser};
  const testing::ProcessSpec users_root = {
      .namespaces = CLONE_NEWUSER, .uid_map = "0 12321 1", .gid_map = "0 12321 1"};
  const Case cases[] = {
      {"his process", {user, user}, true},
      {"root's", {{}}, false},
      {"another user's", {{.setup = BecomeOther}}, false},
      {"a program of root's that he started", {{.setup = BecomeRootForUser}}, false},
      {"root's without capabilities", {{.setup = DropCapabilities}}, false},
      {"in a user namespace of root's", {{.namespaces = CLONE_NEWUSER}}, false},
      {"in one of root's as he", {users_root}, false},
      {"in one of his", {{.setup = EnterUserNamespace}}, true},
  };
  NSCTL_START_NAMESPACES_OR_SKIP(const auto init, {user});
  for (const Case& test : cases) {
    const auto fixture = testing::NamespaceFixture::Start(test.chain);
    ASSERT_THAT(fixture, testing::IsOk()) << test.name;
    EXPECT_EQ(CanBeAround(init->last().pid, (*fixture)->last().pid), test.can_be) << test.name;
  }
  EXPECT_FALSE(CanBeAround(init->last().pid, base::Pid{1}));
  EXPECT_FALSE(CanBeAround(init->last().pid, base::Pid{getpid()}));
}

// As in a container that root started in a user namespace, whose engines have the uid of its root.
TEST_F(CanBeAroundTest, HoldsWhatIsInTheUserNamespaceOfItsFirst) {
  const testing::ProcessSpec outer = {
      .namespaces = CLONE_NEWUSER, .uid_map = "0 12321 10", .gid_map = "0 0 1"};
  const auto become_other = [] { return setresuid(5, 5, 5) == 0 ? 0 : errno; };
  NSCTL_START_NAMESPACES_OR_SKIP(const auto fixture, {outer, {.setup = become_other}});

  EXPECT_TRUE(CanBeAround(fixture->processes()[0].pid, fixture->last().pid));
  EXPECT_FALSE(CanBeAround(fixture->processes()[0].pid, base::Pid{getpid()}));
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
