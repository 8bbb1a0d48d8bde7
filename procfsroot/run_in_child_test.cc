#include "procfsroot/run_in_child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/resource_check.h"

namespace nsctl::procfsroot {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;

TEST(RunInChild, ReturnsWhatTheChildSays) {
  const pid_t parent = getpid();

  EXPECT_EQ(RunInChild(0, [] { return std::string(); }), "");
  EXPECT_EQ(RunInChild(0, [parent] { return std::string(getpid() != parent ? "away" : "here"); }),
            "away");
}

TEST(RunInChild, TellsWhichExpectationFailed) {
  const std::string result = RunInChild(0, []() -> std::string {
    NSCTL_CHILD_EXPECT(close(-1) == 0);
    return "";
  });

  EXPECT_THAT(result, EndsWith(": close(-1) == 0 (errno EBADF)"));
}

TEST(RunInChild, TellsHowTheChildEnded) {
  EXPECT_EQ(RunInChild(0,
                       []() -> std::string {
                         raise(SIGKILL);
                         return "";
                       }),
            "child ended by signal 9");
  EXPECT_EQ(RunInChild(0, []() -> std::string { _exit(3); }), "child ended with 3");
}

TEST(RunInChild, TellsThatNamespacesAreRefused) {
  EXPECT_THAT(RunInChild(CLONE_NEWNS, [] { return std::string(); }), AnyOf("", "unshare: EPERM"));
}

}  // namespace
}  // namespace nsctl::procfsroot
